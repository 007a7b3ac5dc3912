// The runs of this coordinator, running and lately ended, with what they reported: other processes ask for it later than
// it happens.

import type { BlobStore } from '../blobs/blobStore.ts';
import type { Clock } from '../pool/clock.ts';
import type { Log } from '../pool/log.ts';
import type { Pool } from '../pool/pool.ts';
import { checkRunRequest } from './checkRunRequest.ts';
import { RunDriver } from './runDriver.ts';
import { RunExistsError, RunUnknownError } from './runErrors.ts';
import type { RunEvent, RunHandle, RunOutcome, RunRequest } from './runRequest.ts';
import type { RunTiming } from './runState.ts';

/** An event as it is kept and sent to other processes: rounds without their trees, which are in the outcome. */
export type ReportedEvent =
  | Exclude<RunEvent, { type: 'round' }>
  | {
      readonly type: 'round';
      readonly round: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly timings: Extract<RunEvent, { type: 'round' }>['timings'];
    }
  | { readonly type: 'end'; readonly status: RunStatus; readonly error?: RunFailure };

export interface NumberedEvent {
  /** Counts from 1 within the run. */
  readonly sequence: number;
  readonly event: ReportedEvent;
}

export interface RunFailure {
  readonly code: string;
  readonly message: string;
}

export type RunStatus = 'running' | 'finished' | 'stopped' | 'failed';

export interface RunSummary {
  readonly runId: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly phase: string;
  readonly generation: number;
  readonly rounds: number;
  readonly numBoostRound: number;
  readonly workers: readonly string[];
  /** What it waits for, while it waits. */
  readonly waiting?: string;
  readonly lastMetrics?: Readonly<Record<string, number>>;
  readonly error?: RunFailure;
}

export class RunEntry {
  readonly request: RunRequest;
  readonly driver: RunDriver;
  outcome: RunOutcome | undefined;
  failure: RunFailure | undefined;
  readonly #events: NumberedEvent[] = [];
  readonly #listeners = new Set<(event: NumberedEvent) => void>();
  #sequence = 0;

  constructor(request: RunRequest, driver: RunDriver) {
    this.request = request;
    this.driver = driver;
    driver.onEvent((event) => this.#report(reported(event)));
    driver.done.then(
      (outcome) => {
        this.outcome = outcome;
        this.#report({ type: 'end', status: outcome.status });
      },
      (error: Error & { code?: string }) => {
        this.failure = { code: error.code ?? 'INTERNAL', message: error.message };
        this.#report({ type: 'end', status: 'failed', error: this.failure });
      },
    );
  }

  get status(): RunStatus {
    return this.failure ? 'failed' : (this.outcome?.status ?? 'running');
  }

  summary(): RunSummary {
    const { state } = this.driver;
    const lastMetrics = state.record.at(-1)?.metrics;
    return {
      runId: this.request.runId,
      name: this.request.name,
      status: this.status,
      phase: state.phase,
      generation: state.generation,
      rounds: state.record.length,
      numBoostRound: this.request.spec.numBoostRound,
      workers: state.members.map((member) => member.workerId),
      ...(state.waitingReason !== undefined && { waiting: state.waitingReason }),
      ...(lastMetrics && { lastMetrics }),
      ...(this.failure && { error: this.failure }),
    };
  }

  /** Calls back for every kept event after `sequence`, then for new ones; returns the function that ends it. */
  follow(sequence: number, listener: (event: NumberedEvent) => void): () => void {
    for (const event of this.#events) if (event.sequence > sequence) listener(event);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #report(event: ReportedEvent): void {
    const numbered = { sequence: (this.#sequence += 1), event };
    this.#events.push(numbered);
    if (this.#events.length > MAX_KEPT_EVENTS) this.#events.shift();
    for (const listener of this.#listeners) listener(numbered);
  }
}

const MAX_KEPT_EVENTS = 2_000;
const MAX_ENDED_RUNS = 100;

export interface RunRegistryOptions {
  readonly pool: Pool;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly timing?: Partial<RunTiming> | undefined;
}

export class RunRegistry {
  readonly #options: RunRegistryOptions;
  readonly #entries = new Map<string, RunEntry>();

  constructor(options: RunRegistryOptions) {
    this.#options = options;
    options.pool.on((event) => {
      if (event.type !== 'message' || event.message.type === 'halted') return;
      const { runId } = event.message;
      // A worker that was out of reach when its run ended, or when it lost its place, works on until it is told.
      if (this.#entries.get(runId)?.status === 'running') return;
      options.pool.send(event.worker.workerId, { type: 'release', runId, reason: 'the run is over' });
    });
  }

  /** @throws RunRequestInvalidError, RunExistsError */
  start(request: RunRequest): RunHandle {
    checkRunRequest(request);
    if (this.#entries.has(request.runId)) {
      throw new RunExistsError(`A run "${request.runId}" exists already`, { field: 'runId' });
    }
    this.#forgetOldest();
    const driver = new RunDriver({ request, ...this.#options });
    this.#entries.set(request.runId, new RunEntry(request, driver));
    return driver;
  }

  /** @throws RunUnknownError */
  get(runId: string): RunEntry {
    const entry = this.#entries.get(runId);
    if (!entry) throw new RunUnknownError(`There is no run "${runId.slice(0, 128)}"`);
    return entry;
  }

  /** In order of starting. */
  list(): RunEntry[] {
    return [...this.#entries.values()];
  }

  /** Ends what is running with the error `cause`; resolves when all is told. */
  async close(cause: Error): Promise<void> {
    const running = this.list().filter((entry) => entry.status === 'running');
    for (const { driver } of running) driver.fail(cause);
    await Promise.allSettled(running.map((entry) => entry.driver.done));
  }

  #forgetOldest(): void {
    const ended = this.list().filter((entry) => entry.status !== 'running');
    for (const { request } of ended.slice(0, Math.max(0, ended.length + 1 - MAX_ENDED_RUNS))) {
      this.#entries.delete(request.runId);
    }
  }
}

function reported(event: RunEvent): ReportedEvent {
  if (event.type !== 'round') return event;
  const { round, metrics } = event.committed;
  return { type: 'round', round, metrics, timings: event.timings };
}
