// Puts together result.json from what is known when a run ends, well or not.

import { AbortedError, TabgradError } from '../../../kernels/errors.ts';
import type { ResultRecord, RunTimings } from '../result.ts';
import type { RunFolder } from './runFolder.ts';
import type { RunProgress } from './runProgress.ts';

/** What result.json takes from a run of any kind, as far as it is known. */
export interface RunFacts {
  readonly runId: string;
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Rounds, steps or reports that the run was to have. */
  totalRounds: number;
  rows?: Readonly<Record<string, number>>;
  warnings?: readonly string[];
  progress?: RunProgress;
  /** Rounds that are done, those of a model or state that the run goes on from included. */
  rounds?: () => number;
  best?: () => BestFacts;
}

export type BestFacts = Partial<
  Pick<ResultRecord, 'bestIteration' | 'bestMetrics' | 'bestScore' | 'scoreMetric'>
>;

export interface RunClock {
  readonly now: () => number;
  readonly startedAt: number;
  preparedAt?: number;
}

export function resultRecord(
  status: ResultRecord['status'],
  folder: RunFolder,
  { runId, name, params, totalRounds, rows, warnings, progress, rounds, best }: RunFacts,
  clock: RunClock,
): ResultRecord {
  const checkpoints = folder.savedPaths().map((path) => folder.relativePath(path));
  const last = checkpoints.at(-1);
  return {
    status,
    name,
    runId,
    rounds: rounds?.() ?? 0,
    metrics: progress?.lastMetrics ?? {},
    bestMetrics: {},
    ...best?.(),
    ...(last !== undefined && { checkpoint: last }),
    checkpoints,
    timings: timings(clock, progress?.waitedMs),
    workers: progress?.workers ?? [],
    workersLost: progress?.workersLost ?? 0,
    datasetRows: rows ?? {},
    warnings: warnings ?? [],
    params,
    totalRounds,
  };
}

/** The record of a run that threw; one that its owner called off is "stopped". */
export function failedRecord(
  error: unknown,
  folder: RunFolder,
  facts: RunFacts,
  clock: RunClock,
): ResultRecord {
  const status = error instanceof AbortedError ? 'stopped' : 'failed';
  return {
    ...resultRecord(status, folder, facts, clock),
    error:
      error instanceof TabgradError
        ? { code: error.code, message: error.message, place: error.place }
        : { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) },
  };
}

function timings({ now, startedAt, preparedAt }: RunClock, waitedMs = 0): RunTimings {
  const end = now();
  const prepared = preparedAt ?? end;
  return {
    prepareMs: Math.round(prepared - startedAt),
    waitMs: Math.round(waitedMs),
    trainMs: Math.round(end - prepared - waitedMs),
    totalMs: Math.round(end - startedAt),
  };
}
