// The runs of this coordinator, running and ended, of this life and earlier ones: other processes ask for it later than
// it happens.

import { StorageFullError } from '../blobs/blobErrors.ts';
import type { BlobStore } from '../blobs/blobStore.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import type { Pool } from '../pool/pool.ts';
import type { RoundAuditor } from '../trust/roundAudit.ts';
import { checkRunRequest } from './checkRunRequest.ts';
import { endFacts } from './facts.ts';
import { RunDriver } from './runDriver.ts';
import { RunEntry } from './runEntry.ts';
import { RunAbandonedError, RunExistsError, RunUnknownError } from './runErrors.ts';
import { RunLog } from './runLog.ts';
import type { RunRecord, SavedRun } from './runRecord.ts';
import type { CommittedRound, RunHandle, RunRequest } from './runRequest.ts';
import type { RunPlan, RunTiming } from './runPlan.ts';
import { workerStandings, type WorkerStanding } from './workerStanding.ts';

/** Ended runs that are listed; older ones are found by their id. */
const MAX_ENDED_RUNS = 100;
/** How long the last states of those are kept after their end: their owner may be away over a weekend. */
const KEPT_STATE_MS = 3 * 24 * 60 * 60_000;
/** How long after it found the disk full a run tries again. */
const FULL_RETRY_MS = 5_000;

export interface RunRegistryOptions {
  readonly pool: Pool;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing?: Partial<RunTiming> | undefined;
  /** Most of a run's rows that unproven workers may hold together; without it there is no limit. */
  readonly maxUnprovenShare?: number | undefined;
  readonly record: RunRecord;
  /** Whether the record is there after this process: then runs go on in its next life. */
  readonly durable: boolean;
  /** Checks rounds in which strangers took part; without it none are. */
  readonly auditor?: ((request: RunRequest) => RoundAuditor) | undefined;
  readonly checks?: RunPlan['checks'] | undefined;
  /** A run counts on a blob that one of its members has stored. */
  readonly onStored?: (sha256: string) => void;
}

export class RunRegistry {
  readonly #options: RunRegistryOptions;
  readonly #entries = new Map<string, RunEntry>();
  /** Runs that belong to this process: their owner's functions are in it. */
  readonly #attended = new Set<string>();
  /** Runs that go on when the disk has room again, and why they were stopped meanwhile, if they were. */
  readonly #paused = new Map<string, { stopReason?: string; cancel: () => void }>();

  #isClosed = false;

  private constructor(options: RunRegistryOptions) {
    this.#options = options;
    options.pool.on((event) => {
      if (event.type !== 'message' || event.message.type === 'halted') return;
      const { runId } = event.message;
      // A worker that was out of reach when its run ended, or when it lost its place, works on until it is told.
      const status = this.#entries.get(runId)?.status;
      if (status === 'running') return;
      const reason = 'the run is over';
      const ending = status && { outcome: status };
      options.pool.answer(event.worker.workerId, { type: 'release', runId, reason, ...ending });
    });
  }

  /** Opens the record and goes on with the runs that an earlier life of the coordinator left unfinished. */
  static async open(options: RunRegistryOptions): Promise<RunRegistry> {
    const { record } = options;
    const runs = new RunRegistry(options);
    for (const summary of await record.ended(MAX_ENDED_RUNS)) {
      runs.#entries.set(summary.runId, RunEntry.ended(new RunLog(record, summary.runId, 0, true), summary));
    }
    const unfinished = await record.unfinished();
    // Who had a group claims it before those who wait for any workers.
    for (const saved of unfinished.sort((a, b) => b.members.length - a.members.length)) {
      await runs.#resume(saved);
    }
    return runs;
  }

  /** @throws RunRequestInvalidError, RunExistsError */
  start(request: RunRequest): RunHandle {
    checkRunRequest(request);
    if (this.#entries.has(request.runId)) {
      throw new RunExistsError(`A run "${request.runId}" exists already`, { field: 'runId' });
    }
    this.#forgetOldest();
    if (request.shouldStop) this.#attended.add(request.runId);
    return this.#drive(request, new RunLog(this.#options.record, request.runId));
  }

  /**
   * As `start`; resolves when the run is kept and under way.
   * @throws RunRequestInvalidError, RunExistsError, StorageFullError, StorageError
   */
  async submit(request: RunRequest): Promise<RunEntry> {
    this.start(request);
    const entry = await this.find(request.runId);
    try {
      await entry.driver?.started;
    } catch (error) {
      this.#entries.delete(request.runId);
      throw error;
    }
    return entry;
  }

  /** @throws RunUnknownError */
  async find(runId: string): Promise<RunEntry> {
    const entry = this.#entries.get(runId);
    if (entry) return entry;
    const { record } = this.#options;
    const summary = await record.summary(runId);
    if (!summary) throw new RunUnknownError(`There is no run "${runId.slice(0, 128)}"`);
    return RunEntry.ended(new RunLog(record, runId, 0, true), summary);
  }

  /** Ends a run after the round in flight; a paused one ends when it goes on. */
  stop(runId: string, reason: string): void {
    const paused = this.#paused.get(runId);
    if (paused) paused.stopReason = reason;
    this.#entries.get(runId)?.driver?.stop(reason);
  }

  /** All rounds that are kept of a run, with their trees. */
  rounds(runId: string): Promise<CommittedRound[]> {
    return this.#options.record.rounds(runId);
  }

  /** The last one that is kept of a run. */
  lastRound(runId: string): Promise<CommittedRound | undefined> {
    return this.#options.record.lastRound(runId);
  }

  /** In order of starting: the last ones that ended, and all that go on. */
  list(): RunEntry[] {
    return [...this.#entries.values()];
  }

  /** What the runs that go on have learned of workers. */
  standings(): ReadonlyMap<string, WorkerStanding> {
    return workerStandings(this.list().flatMap(({ driver }) => driver?.state ?? []));
  }

  /** SHA-256 of every blob that a running run may need. */
  blobsInUse(): Set<string> {
    return new Set(this.list().flatMap((entry) => entry.blobsInUse));
  }

  /** As `blobsInUse`, and the last states of runs that ended a while ago, which their owners may still ask for. */
  async blobsToKeep(): Promise<Set<string>> {
    const states = await this.#options.record.lastStates(Date.now() - KEPT_STATE_MS, MAX_ENDED_RUNS);
    return new Set([...this.blobsInUse(), ...states]);
  }

  /** Largest blob that members of a run may store. */
  maxUploadBytes(runId: string): number {
    return this.#entries.get(runId)?.maxUploadBytes ?? 0;
  }

  /** Runs that a later life can go on with are left to it; others end with the error `cause`. */
  async close(cause: Error): Promise<void> {
    const { durable } = this.#options;
    this.#isClosed = true;
    for (const { cancel } of this.#paused.values()) cancel();
    const settled = this.list().flatMap(({ driver, runId }): Promise<unknown>[] => {
      if (!driver) return [];
      if (durable && !this.#attended.has(runId)) return [driver.abandon(cause)];
      driver.fail(cause);
      return [driver.done];
    });
    await Promise.allSettled(settled);
  }

  #drive(request: RunRequest, log: RunLog, saved?: SavedRun): RunHandle {
    const driver = new RunDriver({ request, ...this.#options, saved, keep: (facts) => log.write(facts) });
    driver.onEvent((event) => {
      if (event.type === 'loading') log.pass(event);
      if (event.type === 'checkpoint' || event.type === 'profiled') this.#options.onStored?.(event.sha256);
    });
    this.#entries.set(request.runId, RunEntry.live(log, request, driver));
    driver.done.catch(() => {
      if (!(log.failure instanceof StorageFullError)) return;
      if (!this.#options.durable || this.#attended.has(request.runId)) return;
      const blobs = [...request.shards.map(({ sha256 }) => sha256), ...driver.blobsInUse];
      this.#pause(log, blobs);
    });
    return driver;
  }

  /** Its owner and its workers have been told. It goes on as a later life of the coordinator would, once there is room. */
  #pause(log: RunLog, blobs: readonly string[]): void {
    const { runId } = log;
    const last = this.#entries.get(runId)?.summary();
    if (!last) return;
    const waiting = 'The disk has no room left; the run goes on when it has some.';
    this.#entries.set(runId, RunEntry.paused(log, last, blobs, waiting));
    this.#paused.set(runId, { cancel: this.#retryLater(runId) });
  }

  #retryLater(runId: string): () => void {
    const { clock, log } = this.#options;
    return clock.after(FULL_RETRY_MS, () => {
      this.#goOn(runId).catch((error: unknown) => {
        const paused = this.#paused.get(runId);
        if (paused) paused.cancel = this.#retryLater(runId);
        if (error instanceof StorageFullError) return;
        log({ level: 'error', message: `Run ${runId} cannot go on yet: ${String(error)}`, runId });
      });
    });
  }

  async #goOn(runId: string): Promise<void> {
    const { record } = this.#options;
    await record.touch(runId);
    const saved = (await record.unfinished()).find(({ request }) => request.runId === runId);
    const stopReason = this.#paused.get(runId)?.stopReason;
    if (this.#isClosed) return;
    // Its members were let go.
    if (saved) await this.#resume({ ...saved, members: [] });
    this.#paused.delete(runId);
    if (saved && stopReason !== undefined) this.stop(runId, stopReason);
  }

  async #resume(saved: SavedRun): Promise<void> {
    const { record, log } = this.#options;
    const { request, attended, lastSequence } = saved;
    const runId = request.runId;
    const runLog = new RunLog(record, runId, lastSequence);
    if (!attended) {
      log({
        level: 'info',
        message: `Going on with run ${runId} after ${saved.rounds.length} rounds`,
        runId,
      });
      this.#drive(request, runLog, saved);
      return;
    }
    await runLog.write(
      endFacts(new RunAbandonedError('The process of its owner ended while the run went on')),
    );
    const summary = await record.summary(runId);
    if (summary) this.#entries.set(runId, RunEntry.ended(runLog, summary));
  }

  #forgetOldest(): void {
    const ended = this.list().filter((entry) => entry.status !== 'running');
    for (const { runId } of ended.slice(0, Math.max(0, ended.length + 1 - MAX_ENDED_RUNS))) {
      this.#entries.delete(runId);
      this.#attended.delete(runId);
    }
  }
}
