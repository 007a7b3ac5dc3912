// From an experiment's own trials to what the record keeps of them.

import { shownValues, type SearchSpace } from '../space/searchSpace.ts';
import type { Trial } from '../trial/trial.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import type { RecordedTrial } from '../../../shared/api/experiment.ts';

const MAX_VALUE_CHARACTERS = 200;
const MAX_VALUES = 50;

export function recordedTrial(
  { index, status, assignment, reports, runId, error }: Readonly<Trial>,
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
  };
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
