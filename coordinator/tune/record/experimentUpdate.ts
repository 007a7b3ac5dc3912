// From an experiment's own trials to what the record keeps of them.

import { shownValues, type SearchSpace } from '../space/searchSpace.ts';
import type { Trial, TrialReport } from '../trial/trial.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import { MAX_CURVE_POINTS, type RecordedTrial, type TrialUpdate } from '../../../shared/api/experiment.ts';
import { thinnedCurve } from '../../../shared/api/trialCurve.ts';

const MAX_VALUE_CHARACTERS = 200;
const MAX_VALUES = 50;
const MAX_REASON_CHARACTERS = 500;

export function recordedTrial(
  { index, status, assignment, reports, runId, error, stopReason, prunedAt }: Readonly<Trial>,
  { space, metric, mode }: Pick<TuneSettings, 'space' | 'metric' | 'mode'>,
): RecordedTrial {
  const scores = reports
    .map(({ metrics }) => (metric === undefined ? undefined : metrics[metric]))
    .filter((score): score is number => Number.isFinite(score));
  const lastScore = scores.at(-1);
  const better = mode === 'min' ? Math.min : Math.max;
  return {
    number: index,
    status,
    assignment: plainAssignment(space, assignment),
    iterations: reports.at(-1)?.iteration ?? 0,
    ...(lastScore !== undefined && {
      lastScore,
      bestScore: scores.reduce((best, score) => better(best, score)),
    }),
    ...(runId !== undefined && { runId }),
    ...(error && { errorCode: error.code }),
    ...(prunedAt !== undefined && { prunedAt }),
    ...(stopReason !== undefined && {
      stopReason: stopReason.slice(0, MAX_REASON_CHARACTERS),
    }),
  };
}

/**
 * The scores that the record does not have yet.
 * @param known the last report that it has; where the trial has dropped that one, the record gets all anew.
 * @returns undefined where there is nothing to tell.
 */
export function newReports(
  { reports }: Readonly<Trial>,
  known: TrialReport | undefined,
  metric: string | undefined,
): TrialUpdate['reports'] {
  if (metric === undefined || reports.at(-1) === known) return undefined;
  const from = known === undefined ? 0 : reports.lastIndexOf(known) + 1;
  const points = reports.slice(from).flatMap(({ iteration, metrics }): [number, number][] => {
    const score = metrics[metric];
    return score !== undefined && Number.isFinite(score) ? [[iteration, score]] : [];
  });
  return thinnedCurve(points, MAX_CURVE_POINTS).map(([iteration, score]) => [iteration, score]);
}

/** Datasets and functions may be among the choices: what is no short plain value is told by its beginning. */
function plainAssignment(space: SearchSpace, assignment: Trial['assignment']): Record<string, unknown> {
  const values = Object.entries(shownValues(space, assignment)).slice(0, MAX_VALUES);
  return Object.fromEntries(
    values.map(([path, value]) => [path.slice(0, MAX_VALUE_CHARACTERS), plainValue(value)]),
  );
}

function plainValue(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return (typeof value === 'string' ? value : asText(value)).slice(0, MAX_VALUE_CHARACTERS);
}

function asText(value: unknown): string {
  const isPlain =
    Array.isArray(value) ||
    (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);
  if (!isPlain) return Object.prototype.toString.call(value);
  try {
    return JSON.stringify(value);
  } catch {
    // A loop, or a number without an end.
    return Object.prototype.toString.call(value);
  }
}
