// An experiment with many trials as its owner's process would tell of it: searched values of several kinds, curves of many
// iterations, some trials stopped early, some failed, some still running.

import type { ExperimentUpdate, TrialUpdate } from '../../../../shared/api/experiment.ts';
import { MAX_CURVE_POINTS, MAX_TRIALS_AT_ONCE } from '../../../../shared/api/experiment.ts';
import { thinnedCurve } from '../../../../shared/api/trialCurve.ts';
import type { ExperimentRecord } from '../../../../coordinator/core/store/experimentRecord.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

/** Tells a record of it, in parts. */
export async function recordManyTrials(
  record: ExperimentRecord,
  experimentId: string,
  count: number,
  iterations: number,
  change: Partial<ExperimentUpdate> = {},
): Promise<void> {
  const random = seededRandom(7);
  const trials = Array.from({ length: count }, (_, number) => trial(number, count, iterations, random));
  for (let first = 0; first < count; first += MAX_TRIALS_AT_ONCE) {
    await record.save(experimentId, {
      name: 'flights',
      folder: '/results/flights',
      metric: 'valid-logloss',
      mode: 'min',
      status: 'running',
      startedAtMs: 1_700_000_000_000,
      trials: trials.slice(first, first + MAX_TRIALS_AT_ONCE),
      ...change,
    });
  }
}

function trial(number: number, count: number, iterations: number, random: () => number): TrialUpdate {
  const eta = 10 ** (-3 * random());
  const depth = 2 + Math.floor(random() * 10);
  const subsample = 0.5 + random() / 2;
  const booster = random() < 0.7 ? 'gbtree' : 'dart';
  const isFailed = number % 97 === 13;
  const isRunning = number >= count - 4;
  const isEarly = !isRunning && !isFailed && number % 3 === 1;
  const done = isFailed ? 0 : isEarly ? Math.floor(iterations / 8) : isRunning ? iterations / 2 : iterations;
  const floor = 0.3 + Math.abs(Math.log10(eta) + 1) / 10 + Math.abs(depth - 6) / 60;
  const noise = random() / 20;
  const scoreAt = (at: number): number => floor + noise + 0.6 * Math.exp((-at * 6 * eta ** 0.3) / iterations);
  const span = Math.max(1, Math.floor(iterations / 1024));
  const points = Array.from({ length: Math.floor(done / span) }, (_, i): [number, number] => [
    (i + 1) * span,
    scoreAt((i + 1) * span),
  ]);
  const reports = thinnedCurve(points, MAX_CURVE_POINTS).map(([at, score]): [number, number] => [at, score]);
  const lastScore = points.at(-1)?.[1];
  return {
    number,
    status: isFailed ? 'errored' : isRunning ? 'running' : 'finished',
    assignment: { 'params.eta': eta, 'params.max_depth': depth, 'params.subsample': subsample, booster },
    iterations: done,
    ...(lastScore !== undefined && { lastScore, bestScore: lastScore }),
    runId: `run-${number}`,
    ...(isFailed && { errorCode: 'PARAMETER_OUT_OF_RANGE' }),
    ...(isEarly && {
      prunedAt: done,
      stopReason: `not among the best 1/4 of ${number} at iteration ${done}`,
    }),
    reports,
  };
}
