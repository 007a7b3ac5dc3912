// Binds the run machine to the world: feeds it what the pool reports and what time it is, and carries out its commands.
// Inputs are handled one at a time; messages and events leave in the order in which they were decided, and after what
// they rest on is kept.

import { endFacts, eventFacts, groupFact, roundFacts } from './facts.ts';
import { awaitMembers } from './awaitMembers.ts';
import { Outbox } from './outbox.ts';
import { resumedRunState } from './resumeRun.ts';
import type { CommittedRound, RunEvent, RunHandle, RunOutcome } from './runRequest.ts';
import { stepRun } from './runMachine.ts';
import { wakeAtMs } from './ticks.ts';
import { defaultTiming } from './runPlan.ts';
import { initialRunState, type RunWorker } from './runState.ts';
import type { RunPlan } from './runPlan.ts';
import type { BlobCheck } from './blobCheck.ts';
import type { RunCommand, RunInput, RunState } from './runState.ts';
import { assignMessages, prepareMessages } from './placeMessages.ts';
import type { AssignCommand, PlaceBlobs, PrepareCommand, Sent } from './placeMessages.ts';
import { planOf } from './planOf.ts';
import { RunAudits } from './runAudits.ts';
import type { RunDriverOptions } from './runDriverOptions.ts';
import { PayloadBlobs } from './payloadBlobs.ts';
import { statesToKeep } from './undoRounds.ts';
import type { PoolWorker } from '../pool/poolWorker.ts';
import { trustOf } from '../pool/workerTrust.ts';

export class RunDriver implements RunHandle {
  readonly runId: string;
  readonly done: Promise<RunOutcome>;
  /** Resolves when the run is kept and under way; rejects when it ended before that. */
  readonly started: Promise<void>;
  readonly #options: RunDriverOptions;
  readonly #plan: RunPlan;
  readonly #listeners = new Set<(event: RunEvent) => void>();
  readonly #inputs: RunInput[] = [];
  readonly #outbox: Outbox;
  #state: RunState;
  #isHandling = false;
  #specSha256 = '';
  /** Of the last assignment, and of those who were told to load for the next. */
  readonly #payloads: PayloadBlobs;
  readonly #audits: RunAudits;
  #isAbandoned = false;
  #ownersError: Error | undefined;
  #cancelWake: () => void = () => undefined;
  #unsubscribe: () => void = () => undefined;
  #settle: { resolve: (outcome: RunOutcome) => void; reject: (error: Error) => void } | undefined;

  /** Starts at once; events begin after the caller had a chance to listen. */
  constructor(options: RunDriverOptions) {
    const { request, saved } = options;
    this.runId = request.runId;
    this.#options = options;
    this.#audits = new RunAudits(request, options.auditor);
    this.#payloads = new PayloadBlobs((value) => options.blobs.putJson(value), options.clock);
    const timing = { ...defaultTiming, ...options.timing };
    const checks = options.auditor ? (options.checks ?? 'auto') : 'never';
    const { maxUnprovenShare } = options;
    this.#plan = planOf(request, timing, { checks, maxUnprovenShare }, (round) => this.#isEnough(round));
    this.#state = saved ? resumedRunState(saved, this.#plan, this.#now()) : initialRunState();
    this.#outbox = new Outbox(options.keep, (error) => this.fail(asError(error)));
    this.started = this.#start(this.#plan.timing.awaitMembersMs);
    this.started.catch(() => undefined);
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Followers listen to `done` too; a run that fails without one must not end the process.
    this.done.catch(() => undefined);
  }

  /** SHA-256 of the blobs that workers may ask for, besides the shards. */
  get blobsInUse(): readonly string[] {
    const states = statesToKeep(this.#options.request.spec, this.#state);
    return [this.#specSha256, ...this.#payloads.inUse, ...states];
  }

  get state(): RunState {
    return this.#state;
  }

  onEvent(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(reason: string): void {
    this.#handle({ type: 'stop', atMs: this.#now(), reason });
  }

  /** Ends the run with an error, at once. */
  fail(error: Error): void {
    this.#handle({ type: 'fail', atMs: this.#now(), error });
  }

  /**
   * Lets go of the run without ending it: a later life of the coordinator goes on with it. `done` rejects with `error`.
   * Resolves when what was decided so far is kept.
   */
  async abandon(error: Error): Promise<void> {
    this.#isAbandoned = true;
    this.#unsubscribe();
    this.#cancelWake();
    void this.#audits.close();
    await this.#outbox.emptied();
    this.#settle?.reject(error);
  }

  async #start(awaitMembersMs: number): Promise<void> {
    const { request, saved, blobs } = this.#options;
    const kept = new Promise<void>((resolve) =>
      this.#outbox.post({ facts: saved ? [] : [{ type: 'started', request }], deliver: resolve }),
    );
    try {
      this.#specSha256 = (await blobs.putJson(request.spec)).sha256;
    } catch (error) {
      this.fail(asError(error));
    }
    await Promise.race([kept, this.done]);
    if (this.#state.phase === 'ended' || this.#isAbandoned) return;
    const { pool, clock } = this.#options;
    const { members, waitingReason } = this.#state;
    if (members.length === 0) return this.#listen(new Map());
    if (waitingReason !== undefined) this.#emit({ type: 'waiting', reason: waitingReason });
    const workerIds = members.map((member) => member.workerId);
    const lateness = `did not come back within ${awaitMembersMs} ms after the coordinator was restarted`;
    this.#unsubscribe = awaitMembers(
      { pool, clock, runId: this.runId, workerIds, timeoutMs: awaitMembersMs },
      () => this.#listen(new Map(workerIds.map((workerId) => [workerId, lateness]))),
    );
  }

  #listen(lost: ReadonlyMap<string, string>): void {
    this.#unsubscribe = this.#options.pool.on((event) => {
      if (event.type === 'message') {
        if (event.message.runId !== this.runId) return;
        const { worker, message } = event;
        return this.#handle({ type: 'message', atMs: this.#now(), workerId: worker.workerId, message });
      }
      this.#lookAtPool(event.type === 'lost' ? new Map([[event.worker.workerId, event.reason]]) : new Map());
    });
    this.#lookAtPool(lost);
  }

  #lookAtPool(lost: ReadonlyMap<string, string>): void {
    const all = this.#options.pool.workers();
    const workers = all
      .filter(({ runId, programs }) => runId === this.runId || (runId === undefined && programs === 0))
      .map(asRunWorker);
    this.#handle({ type: 'workers', atMs: this.#now(), workers, busy: all.length - workers.length, lost });
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #handle(input: RunInput): void {
    if (this.#isAbandoned) return;
    this.#inputs.push(input);
    // Commands cause inputs (a claim changes the pool): those wait for their turn.
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        const known = this.#state.record.length;
        const [state, commands] = stepRun(this.#plan, this.#state, next);
        this.#state = state;
        if (state.record.length > known) this.#outbox.post({ facts: roundFacts(state.record.slice(known)) });
        for (const command of commands) this.#execute(command);
      }
    } finally {
      this.#isHandling = false;
    }
    this.#armWake();
  }

  #armWake(): void {
    this.#cancelWake();
    const atMs = wakeAtMs(this.#plan, this.#state);
    if (atMs === Infinity) return;
    const delayMs = Math.max(0, atMs - this.#now());
    this.#cancelWake = this.#options.clock.after(delayMs, () =>
      this.#handle({ type: 'tick', atMs: Math.max(atMs, this.#now()) }),
    );
  }

  #execute(command: RunCommand): void {
    const { pool, log } = this.#options;
    switch (command.type) {
      case 'send': {
        const send = this.#sender([command.workerId]);
        return this.#outbox.post({
          deliver: () => send(command),
          always: true,
        });
      }
      case 'assign': {
        const workerIds = command.members.map(({ workerId }) => workerId);
        for (const workerId of workerIds) pool.claim(workerId, this.runId);
        const send = this.#sender(workerIds);
        return this.#outbox.post({
          facts: [groupFact(command.generation, command.members, this.#plan.shards)],
          deliver: () => this.#assign(command, send),
        });
      }
      case 'prepare': {
        // Signalling lets only workers of one run meet.
        pool.claim(command.workerId, this.runId);
        const send = this.#sender([command.workerId, ...command.members.map(({ workerId }) => workerId)]);
        return this.#outbox.post({
          deliver: () => this.#prepare(command, send),
        });
      }
      case 'unclaim':
        return pool.unclaim(command.workerId, this.runId);
      case 'malformed':
        return pool.countMalformed(command.workerId, command.what);
      case 'checkBlob':
        return void this.#checkBlob(command.check);
      case 'check':
        return this.#outbox.post({ deliver: this.#audits.check(command, this.#sender(command.workerIds)) });
      case 'audit':
        return void this.#audit(command);
      case 'passCheck':
        for (const workerId of command.workerIds) pool.passCheck(workerId, command.rounds);
        return undefined;
      case 'convict':
        return pool.convict(command.workerId, { ...command.evidence, runId: this.runId });
      case 'emit':
        return this.#emit(command.event);
      case 'log':
        return log({ level: command.level, message: command.message, runId: this.runId });
      case 'end':
        return this.#end(command.result);
    }
  }

  async #audit(command: Extract<RunCommand, { type: 'audit' }>): Promise<void> {
    try {
      const verdict = await this.#audits.audit(command, this.#state.record);
      const { generation } = command;
      this.#handle({ type: 'audited', atMs: this.#now(), generation, verdict });
    } catch (error) {
      // The run is over, or what it takes to check it is gone.
      if (this.#state.phase !== 'ended' && !this.#isAbandoned) this.fail(asError(error));
    }
  }

  async #checkBlob(check: BlobCheck): Promise<void> {
    const found = await this.#find(check);
    this.#handle({ type: 'blob', atMs: this.#now(), check, found });
  }

  async #find({ sha256, sizeBytes }: BlobCheck): Promise<'there' | 'missing' | 'unknown'> {
    const { blobs, log } = this.#options;
    try {
      return (await blobs.sizeBytes(sha256)) === sizeBytes ? 'there' : 'missing';
    } catch (error) {
      const message = `Whether blob ${sha256} is stored could not be found out: ${asError(error).message}`;
      log({ level: 'warn', message, runId: this.runId });
      return 'unknown';
    }
  }

  /** Sends to these workers as they are now: what was decided for one life of a worker is nothing for the next. */
  #sender(workerIds: readonly string[]): (sent: Sent) => void {
    const { pool } = this.#options;
    const lives = new Map(workerIds.map((workerId) => [workerId, pool.worker(workerId)?.life]));
    return ({ workerId, message }) => {
      if (pool.worker(workerId)?.life === lives.get(workerId)) pool.send(workerId, message);
    };
  }

  async #assign(command: AssignCommand, send: (sent: Sent) => void): Promise<void> {
    const { sha256: payloads } = await this.#payloads.ofGroup(this.#withPayloads(command.rounds));
    const { keys } = this.#options.pool;
    assignMessages(command, this.#blobs(payloads), this.#plan.sharesRows, keys).forEach(send);
  }

  async #prepare(command: PrepareCommand, send: (sent: Sent) => void): Promise<void> {
    const { rounds, agreedRounds } = command;
    const blob = await this.#payloads.ofNewcomer(this.#withPayloads(rounds), agreedRounds);
    const { keys } = this.#options.pool;
    const known = { ...command, rounds: rounds.slice(0, blob.rounds) };
    prepareMessages(known, this.#blobs(blob.sha256), keys).forEach(send);
  }

  #blobs(payloads: string | null): PlaceBlobs {
    return { runId: this.runId, spec: this.#specSha256, payloads };
  }

  /** None where the members hold the state. */
  #withPayloads(rounds: readonly CommittedRound[]): readonly CommittedRound[] {
    return this.#plan.kind.recordsEveryRound ? rounds : [];
  }

  /** Asks the owner; an owner's function that throws fails the run. */
  #isEnough(round: CommittedRound): boolean {
    try {
      return this.#options.request.shouldStop?.(round) === true;
    } catch (error) {
      this.#ownersError = asError(error);
      return true;
    }
  }

  #emit(event: RunEvent): void {
    this.#outbox.post({ facts: eventFacts(event), deliver: () => this.#tell(event) });
  }

  #tell(event: RunEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        const message = `A listener of run ${this.runId} threw: ${asError(error).message}`;
        this.#options.log({ level: 'error', message, runId: this.runId });
      }
    }
  }

  #end(decided: RunOutcome | Error): void {
    const result = this.#ownersError ?? decided;
    this.#unsubscribe();
    void this.#audits.close();
    // The goodbyes leave first: who waits for the end may close the coordinator.
    this.#outbox.post({
      facts: endFacts(result),
      deliver: () => (result instanceof Error ? this.#settle?.reject(result) : this.#settle?.resolve(result)),
      always: true,
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function asRunWorker(worker: PoolWorker): RunWorker {
  return {
    workerId: worker.workerId,
    peerId: worker.peerId,
    runtime: worker.runtime,
    device: worker.device.kind,
    deviceName: worker.device.name,
    isOwners: worker.isOwners,
    present: worker.present,
    leaving: worker.leaving !== undefined,
    isUnproven: trustOf(worker) === 'unproven',
    session: worker.session,
  };
}
