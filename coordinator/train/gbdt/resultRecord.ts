// Puts together result.json from what is known when a run ends, well or not.

import { AbortedError, TabgradError } from '../../../kernels/errors.ts';
import type { PreparedTraining } from './prepareTraining.ts';
import type { RunFolder } from '../record/runFolder.ts';
import type { RunRecorder } from './runRecorder.ts';
import type { ResultRecord, RunTimings } from '../result.ts';
import type { ScoreWatch } from './scoreWatch.ts';
import type { TrainerSettings } from './trainerOptions.ts';

/** What result.json takes from a run of any kind. */
export interface RecordedRun {
  readonly runId: string;
  readonly settings: Pick<TrainerSettings, 'name' | 'numBoostRound'> & {
    readonly params: Readonly<Record<string, unknown>>;
  };
  readonly prepared?: Pick<PreparedTraining, 'rows' | 'warnings'>;
  readonly recorder?: Pick<RunRecorder, 'lastMetrics' | 'rounds' | 'waitedMs' | 'workers' | 'workersLost'> & {
    readonly earlierRounds?: number;
  };
  readonly watch?: Pick<ScoreWatch, 'best' | 'metric'>;
}

/** Filled in as the run goes on; what a failure came too early for stays undefined. */
export interface RunFacts extends RecordedRun {
  readonly settings: TrainerSettings;
  prepared?: PreparedTraining;
  recorder?: RunRecorder;
  watch?: ScoreWatch;
}

export interface RunClock {
  readonly now: () => number;
  readonly startedAt: number;
  preparedAt?: number;
}

export function resultRecord(
  status: ResultRecord['status'],
  folder: RunFolder,
  { runId, settings, prepared, recorder, watch }: RecordedRun,
  clock: RunClock,
): ResultRecord {
  const best = watch?.best;
  const checkpoints = folder.savedPaths().map((path) => folder.relativePath(path));
  const last = checkpoints.at(-1);
  return {
    status,
    name: settings.name,
    runId,
    rounds: recorder?.rounds ?? 0,
    metrics: recorder?.lastMetrics ?? {},
    bestMetrics: best?.metrics ?? {},
    ...(best &&
      watch && {
        bestIteration: (recorder?.earlierRounds ?? 0) + best.round,
        bestScore: best.score,
        scoreMetric: watch.metric,
      }),
    ...(last !== undefined && { checkpoint: last }),
    checkpoints,
    timings: timings(clock, recorder?.waitedMs),
    workers: recorder?.workers ?? [],
    workersLost: recorder?.workersLost ?? 0,
    datasetRows: prepared?.rows ?? {},
    warnings: prepared?.warnings ?? [],
    params: settings.params,
    numBoostRound: settings.numBoostRound,
  };
}

/** The record of a run that threw; one that its owner called off is "stopped". */
export function failedRecord(
  error: unknown,
  folder: RunFolder,
  facts: RecordedRun,
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
