// One run as others see it: while it goes on by its driver, later by what was kept of it.

import type { RunDriver } from './runDriver.ts';
import type { RunLog } from './runLog.ts';
import type { RunStatus, RunSummary } from './runRecord.ts';
import { runKindOf } from './runKinds.ts';
import type { RunRequest, Shard } from './runRequest.ts';
import { recordedRounds } from './runState.ts';

export class RunEntry {
  readonly runId: string;
  readonly log: RunLog;
  #live: { readonly request: RunRequest; readonly driver: RunDriver } | undefined;
  #summary: RunSummary | undefined;
  #blobs: readonly string[] = [];

  private constructor(log: RunLog) {
    this.runId = log.runId;
    this.log = log;
  }

  /** A run that goes on. When it has ended, its driver and all that it holds are let go. */
  static live(log: RunLog, request: RunRequest, driver: RunDriver): RunEntry {
    const entry = new RunEntry(log);
    entry.#live = { request, driver };
    const end = (status: RunStatus, failure?: Error & { code?: string }): void => {
      const error = failure && { code: failure.code ?? 'INTERNAL', message: failure.message };
      entry.#summary = { ...entry.summary(), status, ...(error && { error }) };
      entry.#live = undefined;
    };
    driver.done.then(
      ({ status }) => end(status),
      (error: Error) => end('failed', error),
    );
    return entry;
  }

  static ended(log: RunLog, summary: RunSummary): RunEntry {
    const entry = new RunEntry(log);
    entry.#summary = summary;
    return entry;
  }

  /** A run that goes on later, and needs these blobs then. */
  static paused(log: RunLog, last: RunSummary, blobs: readonly string[], waiting: string): RunEntry {
    const { error: _, ...summary } = last;
    const entry = new RunEntry(log);
    entry.#summary = { ...summary, status: 'running', phase: 'waiting', workers: [], waiting };
    entry.#blobs = blobs;
    return entry;
  }

  /** Undefined when the run has ended, or is paused. */
  get driver(): RunDriver | undefined {
    return this.#live?.driver;
  }

  get status(): RunStatus {
    return this.#summary?.status ?? 'running';
  }

  /** The blobs that its workers may ask for. */
  get blobsInUse(): readonly string[] {
    if (!this.#live) return this.#blobs;
    const { request, driver } = this.#live;
    return [...request.shards.map((shard) => shard.sha256), ...driver.blobsInUse];
  }

  /** Undefined when the run has ended, or is paused. */
  get shards(): readonly Shard[] | undefined {
    return this.#live?.request.shards;
  }

  /** Largest blob that its members may store. */
  get maxUploadBytes(): number {
    const spec = this.#live?.request.spec;
    return spec ? runKindOf(spec).maxUploadBytes(spec) : 0;
  }

  summary(): RunSummary {
    if (this.#summary) return this.#summary;
    if (!this.#live) throw new Error('unreachable');
    const { request, driver } = this.#live;
    const { state } = driver;
    const lastMetrics = state.record.at(-1)?.metrics;
    return {
      runId: this.runId,
      name: request.name,
      status: 'running',
      phase: state.phase,
      generation: state.generation,
      rounds: recordedRounds(state),
      totalRounds: runKindOf(request.spec).totalRounds(request.spec),
      workers: state.members.map((member) => member.workerId),
      ...(state.waitingReason !== undefined && { waiting: state.waitingReason }),
      ...(lastMetrics && { lastMetrics }),
    };
  }
}
