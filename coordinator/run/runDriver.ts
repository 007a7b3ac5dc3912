// Binds the run machine to the world: feeds it what the pool reports and what time it is, and carries out its commands.
// Inputs are handled one at a time and messages leave in the order in which they were decided.

import type { CoordinatorMessage } from '../../shared/protocol/control.ts';
import type { BlobAddress } from '../blobs/blobStore.ts';
import type { Clock } from '../pool/clock.ts';
import type { Log } from '../pool/log.ts';
import type { Pool } from '../pool/pool.ts';
import type { PoolWorker } from '../pool/poolWorker.ts';
import type { CommittedRound, RunEvent, RunHandle, RunOutcome, RunRequest } from './runRequest.ts';
import { stepRun, wakeAtMs } from './runMachine.ts';
import { defaultTiming, initialRunState } from './runState.ts';
import type { RunCommand, RunInput, RunPlan, RunState, RunTiming, RunWorker } from './runState.ts';

/** The part of the blob store that a run needs. */
interface RunBlobs {
  putJson(value: unknown): Promise<BlobAddress>;
}

export interface RunDriverOptions {
  readonly request: RunRequest;
  readonly pool: Pool;
  readonly blobs: RunBlobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing?: Partial<RunTiming> | undefined;
}

type AssignCommand = Extract<RunCommand, { type: 'assign' }>;

export class RunDriver implements RunHandle {
  readonly runId: string;
  readonly done: Promise<RunOutcome>;
  readonly #options: RunDriverOptions;
  readonly #plan: RunPlan;
  readonly #listeners = new Set<(event: RunEvent) => void>();
  readonly #inputs: RunInput[] = [];
  #state: RunState = initialRunState;
  #isHandling = false;
  #outbox: Promise<void> = Promise.resolve();
  #specSha256 = '';
  #ownersError: Error | undefined;
  #cancelWake: () => void = () => undefined;
  #unsubscribe: () => void = () => undefined;
  #settle: { resolve: (outcome: RunOutcome) => void; reject: (error: Error) => void } | undefined;

  /** Starts at once; events begin after the caller had a chance to listen. */
  constructor(options: RunDriverOptions) {
    const { request } = options;
    this.runId = request.runId;
    this.#options = options;
    this.#plan = {
      runId: request.runId,
      shards: request.shards,
      workers: request.workers,
      numBoostRound: request.spec.numBoostRound,
      maxFailures: request.maxFailures,
      isEnough: (round) => this.#isEnough(round),
      timing: { ...defaultTiming, ...options.timing },
    };
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever cares listens to `done` too; a run that fails unwatched must not end the process.
    this.done.catch(() => undefined);
    void this.#start();
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

  async #start(): Promise<void> {
    try {
      this.#specSha256 = (await this.#options.blobs.putJson(this.#options.request.spec)).sha256;
    } catch (error) {
      return this.fail(asError(error));
    }
    if (this.#state.phase === 'ended') return;
    this.#unsubscribe = this.#options.pool.on((event) => {
      if (event.type === 'message') {
        if (event.message.runId !== this.runId) return;
        const { worker, message } = event;
        return this.#handle({ type: 'message', atMs: this.#now(), workerId: worker.workerId, message });
      }
      this.#lookAtPool(event.type === 'lost' ? new Map([[event.worker.workerId, event.reason]]) : new Map());
    });
    this.#lookAtPool(new Map());
  }

  #lookAtPool(lost: ReadonlyMap<string, string>): void {
    const workers = this.#options.pool
      .workers()
      .filter((worker) => worker.runId === undefined || worker.runId === this.runId)
      .map(asRunWorker);
    this.#handle({ type: 'workers', atMs: this.#now(), workers, lost });
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #handle(input: RunInput): void {
    this.#inputs.push(input);
    // Commands cause inputs (a claim changes the pool): those wait for their turn.
    if (this.#isHandling) return;
    this.#isHandling = true;
    try {
      for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
        const [state, commands] = stepRun(this.#plan, this.#state, next);
        this.#state = state;
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
      case 'send':
        return this.#post(() => this.#send(command.workerId, command.message));
      case 'assign':
        for (const { workerId } of command.members) pool.claim(workerId, this.runId);
        return this.#post(() => this.#assign(command));
      case 'unclaim':
        return pool.unclaim(command.workerId, this.runId);
      case 'emit':
        return this.#emit(command.event);
      case 'log':
        return log({ level: command.level, message: command.message, runId: this.runId });
      case 'end':
        return this.#end(command.result);
    }
  }

  /** Messages wait for those before them, among which an assignment may be writing its trees to disk. */
  #post(task: () => void | Promise<void>): void {
    this.#outbox = this.#outbox.then(task).catch((error: unknown) => this.fail(asError(error)));
  }

  #send(workerId: string, message: CoordinatorMessage): void {
    this.#options.pool.send(workerId, message);
  }

  async #assign({ generation, members, rounds }: AssignCommand): Promise<void> {
    const trees =
      rounds.length === 0
        ? null
        : (await this.#options.blobs.putJson(rounds.map((round) => round.trees))).sha256;
    const places = members.map(({ rank, workerId, peerId }) => ({ rank, workerId, peerId }));
    for (const { workerId, rank, leases, agreedRounds } of members) {
      this.#send(workerId, {
        type: 'assign',
        runId: this.runId,
        generation,
        rank,
        members: places,
        leases: [...leases],
        spec: this.#specSha256,
        committedRounds: rounds.length,
        agreedRounds,
        trees,
      });
    }
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
    const settle = this.#settle;
    // The farewells leave first: who waits for the end may close the coordinator.
    void this.#outbox.then(() =>
      result instanceof Error ? settle?.reject(result) : settle?.resolve(result),
    );
  }
}

function asRunWorker(worker: PoolWorker): RunWorker {
  return {
    workerId: worker.workerId,
    peerId: worker.peerId,
    runtime: worker.runtime,
    device: worker.device.kind,
    deviceName: worker.device.name,
    present: worker.present,
    leaving: worker.leaving !== undefined,
    session: worker.session,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
