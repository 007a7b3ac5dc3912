// The worker's side of runs: turns the coordinator's messages into generations, one at a time, and answers for them.
// Messages are put in a queue, so that a generation has quite ended before the next one starts.

import type { CoordinatorMessage, CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import { AbortedError, TabgradError } from '../../kernels/errors.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import { GenerationTask } from './generationTask.ts';
import type { Assignment } from '../memberRun/memberRun.ts';
import type { MemberRun } from '../memberRun/memberRun.ts';
import { memberRunKindOf } from './memberRunKinds.ts';
import { type SessionEnvironment, type WorkerSession, fetchJson } from '../memberRun/sessionEnvironment.ts';
import type { PeerAddress } from '../transport/link.ts';

/** A link to a newcomer, or of a newcomer to a member, that takes longer is left to the group that both are in. */
const MEET_TIMEOUT_MS = 4_000;

/** What a run needs to be opened. */
type Place = Pick<Assignment, 'runId' | 'spec'>;

export function createWorkerSession(environment: SessionEnvironment): WorkerSession {
  return new RunSession(environment);
}

class RunSession implements WorkerSession {
  readonly #environment: SessionEnvironment;
  #queue: Promise<void> = Promise.resolve();
  #run: MemberRun | undefined;
  #task: GenerationTask | undefined;
  /** Loading for a place that is not assigned yet. */
  #preparing = new AbortController();
  /** Connecting to newcomers of the run. */
  #meetings = new AbortController();
  #closed = false;

  constructor(environment: SessionEnvironment) {
    this.#environment = environment;
  }

  handle(message: CoordinatorMessage): void {
    switch (message.type) {
      case 'prepare':
        this.#enqueue(() => this.#prepare(message));
        break;
      case 'assign':
        this.#stopPreparing(`generation ${message.generation} has a place`);
        this.#task?.withdraw(`generation ${message.generation} replaces this one`);
        this.#enqueue(() => this.#assign(message));
        break;
      case 'meet':
        if (this.#isCurrent(message)) void this.#meet(message, message.newcomers, this.#meetings.signal);
        break;
      case 'begin':
        if (this.#isCurrent(message)) this.#task?.begin();
        else this.#enqueue(async () => this.#isCurrent(message) && this.#task?.begin());
        break;
      case 'halt':
        if (this.#isCurrent(message)) {
          if (message.when === 'now') this.#task?.withdraw(message.reason);
          else this.#task?.haltAtRounds(message.atRounds ?? 0, message.reason, message.keepsState === true);
        }
        this.#enqueue(() => this.#answerHalt(message));
        break;
      case 'check':
        this.#answerCheck(message);
        break;
      case 'release':
        if (this.#run?.runId === message.runId) {
          this.#stopPreparing(message.reason);
          this.#task?.withdraw(message.reason);
        }
        this.#enqueue(() => this.#release(message));
        break;
      case 'welcome':
      case 'refused':
      case 'ping':
      case 'openProgram':
      case 'iceServers':
      case 'shutdown':
        break;
    }
  }

  async close(reason: string): Promise<void> {
    this.#closed = true;
    this.#stopPreparing(reason);
    this.#task?.withdraw(reason);
    this.#enqueue(() => this.#drop());
    await this.#queue;
  }

  #enqueue(work: () => Promise<unknown>): void {
    this.#queue = this.#queue.then(async () => {
      try {
        await work();
      } catch (error) {
        this.#environment.log(
          `session: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    });
  }

  #isCurrent(message: { runId: string; generation: number }): boolean {
    const assignment = this.#task?.assignment;
    return assignment?.runId === message.runId && assignment.generation === message.generation;
  }

  #stopPreparing(reason: string): void {
    this.#preparing.abort(new AbortedError(reason));
    this.#preparing = new AbortController();
  }

  /** What can't be loaded is told, so that another worker is asked. It is no member yet, so it may be asked again later. */
  async #prepare(message: CoordinatorMessageOf<'prepare'>): Promise<void> {
    const { signal } = this.#preparing;
    if (this.#closed || signal.aborted) return;
    await this.#task?.ended;
    const { runId, generation } = message;
    try {
      const run = await this.#openRun(message, signal);
      await run.preload(message, signal);
      await this.#meet(message, message.members, signal);
      this.#environment.send({ type: 'prepared', runId, generation });
    } catch (error) {
      // A place has come meanwhile, or the run is over.
      if (signal.aborted) return;
      const code = error instanceof TabgradError ? error.code : 'INTERNAL';
      const words = messageOf(error).slice(0, 1000);
      this.#environment.send({ type: 'prepared', runId, generation, error: { code, message: words } });
    }
  }

  /** Connects to who may be in the next group. Neither waits long for the other: they connect then at the latest. */
  #meet(
    { runId, generation }: Pick<Assignment, 'runId' | 'generation'>,
    peers: readonly PeerAddress[],
    signal: AbortSignal,
  ): Promise<void> {
    const group = `${runId}/${generation}/newcomers`;
    const timing = { directTimeoutMs: MEET_TIMEOUT_MS, timeoutMs: MEET_TIMEOUT_MS };
    return this.#environment.connector.meet(peers, { group, signal, ...timing });
  }

  async #assign(assignment: Assignment): Promise<void> {
    await this.#task?.ended;
    const isSameRun = this.#task?.assignment.runId === assignment.runId;
    if (isSameRun && !this.#closed) this.#task?.parkLinks();
    else this.#task?.closeLinks();
    if (this.#closed) return;
    const task = new GenerationTask(assignment, this.#environment, (one, signal) =>
      this.#openRun(one, signal),
    );
    this.#task = task;
    void this.#reportEnd(task);
  }

  async #reportEnd(task: GenerationTask): Promise<void> {
    const end = await task.ended;
    const { runId, generation } = task.assignment;
    if (end.kind === 'stalled') {
      const lost = end.code === 'DEVICE_LOST' ? this.#run : undefined;
      if (lost) this.#run = undefined;
      if (lost) this.#environment.onDeviceLost?.(end.message);
      this.#environment.send({
        type: 'stalled',
        runId,
        generation,
        missing: [...end.missing],
        code: end.code,
        message: end.message,
      });
      await lost?.close();
    } else if (end.kind === 'failed') {
      this.#environment.send({
        type: 'failed',
        runId,
        generation,
        code: end.code,
        message: end.message,
      });
    }
  }

  async #openRun(place: Place, signal: AbortSignal): Promise<MemberRun> {
    if (this.#run && this.#run.runId !== place.runId) await this.#closeRun();
    this.#run ??= await this.#startRun(place, signal);
    return this.#run;
  }

  async #startRun(place: Place, signal: AbortSignal): Promise<MemberRun> {
    const spec = await fetchJson(this.#environment, place.spec, signal);
    return memberRunKindOf(spec).open(place, spec, this.#environment, signal);
  }

  async #answerHalt(message: CoordinatorMessageOf<'halt'>): Promise<void> {
    const task = this.#isCurrent(message) ? this.#task : undefined;
    await task?.ended;
    const missing = task?.missing ?? [];
    const heard = (await task?.heard()) ?? [];
    const { runId, generation, knownRounds } = message;
    const run = this.#run?.runId === runId ? this.#run : undefined;
    const committedRounds = run?.committedRounds ?? 0;
    const rounds = run?.knownRounds(knownRounds) ?? [];
    this.#environment.send({
      type: 'halted',
      runId,
      generation,
      committedRounds,
      ...(missing.length > 0 && { missing: [...missing] }),
      ...(heard.length > 0 && { heard }),
      rounds,
    });
  }

  /** At once, beside the work: the round under way waits for it when much is kept. */
  #answerCheck(message: CoordinatorMessageOf<'check'>): void {
    const { runId, generation, firstRound } = message;
    const run = this.#isCurrent(message) && this.#run?.runId === runId ? this.#run : undefined;
    const rounds = run?.checkRounds?.(message) ?? [];
    this.#environment.send({ type: 'checked', runId, generation, firstRound, rounds });
  }

  async #release({ runId, outcome }: CoordinatorMessageOf<'release'>): Promise<void> {
    if (this.#run?.runId !== runId && this.#task?.assignment.runId !== runId) return;
    await this.#drop();
    this.#environment.onStatus?.({ state: 'idle', ...(outcome && { ended: { runId, outcome } }) });
  }

  async #drop(): Promise<void> {
    await this.#task?.ended;
    this.#task?.closeLinks();
    this.#task = undefined;
    this.#meetings.abort(new AbortedError('the run is over for this worker'));
    this.#meetings = new AbortController();
    await this.#closeRun();
  }

  async #closeRun(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.close();
  }
}
