// What a trial is worth, as searchers and schedulers see it: higher is better, whatever the mode.

import type { Metrics } from '../../train/result.ts';
import type { Observation } from '../search/searcher.ts';
import { TuneMetricError } from '../space/tuneErrors.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import type { Trial } from '../trial/trial.ts';

type Tuned = Pick<TuneSettings, 'metric' | 'mode'>;

/** Undefined where the metric is not among those reported; -Infinity for what is no finite number: it is never best. */
export function scoreOf(metrics: Metrics, { metric, mode }: Tuned): number | undefined {
  const value = metric === undefined ? undefined : metrics[metric];
  if (value === undefined) return undefined;
  if (!Number.isFinite(value)) return -Infinity;
  return mode === 'min' ? -value : value;
}

/** @param known metrics that were reported, by any trial. */
export function missingMetric({ metric }: Tuned, known: ReadonlySet<string>): TuneMetricError | undefined {
  if (metric === undefined || known.has(metric) || known.size === 0) return undefined;
  const message = `No trial reported the metric "${metric}"; reported were ${[...known].join(', ')}.`;
  return new TuneMetricError(message, { field: 'tuneConfig.metric' });
}

/**
 * Of trials that did not fail.
 * @param settled trials that are over; how far the later ones have come, which depends on speed, is not told.
 */
export function observationsOf(trials: readonly Trial[], settled: number, tuned: Tuned): Observation[] {
  const known = trials.slice(0, settled).filter(({ status }) => status !== 'errored');
  return [
    ...known.map((trial) => observationOf(trial, tuned)),
    ...trials.slice(settled).map(({ assignment }) => begun(assignment)),
  ];
}

function begun(assignment: Observation['assignment']): Observation {
  return { assignment, state: 'running', score: undefined, iteration: 0 };
}

function observationOf(trial: Trial, tuned: Tuned): Observation {
  const last = trial.reports.findLast(({ metrics }) => scoreOf(metrics, tuned) !== undefined);
  return {
    assignment: trial.assignment,
    state: trial.prunedAt !== undefined ? 'pruned' : 'complete',
    score: last && scoreOf(last.metrics, tuned),
    iteration: last?.iteration ?? 0,
  };
}
