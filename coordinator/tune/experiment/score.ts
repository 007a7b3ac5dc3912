// What a trial is worth, as searchers and schedulers see it: higher is better, whatever the mode.

import type { Metrics } from '../../train/result.ts';
import type { Observation } from '../search/searcher.ts';
import type { TuneSettings } from '../tuneOptions.ts';
import { isOver, type Trial } from './trial.ts';

type Tuned = Pick<TuneSettings, 'metric' | 'mode'>;

/** Undefined where the metric is not among those reported; -Infinity for NaN. */
export function scoreOf(metrics: Metrics, { metric, mode }: Tuned): number | undefined {
  const value = metric === undefined ? undefined : metrics[metric];
  if (value === undefined) return undefined;
  if (Number.isNaN(value)) return -Infinity;
  return mode === 'min' ? -value : value;
}

/** Of trials that did not fail. */
export function observationsOf(trials: readonly Trial[], tuned: Tuned): Observation[] {
  return trials.filter(({ status }) => status !== 'errored').map((trial) => observationOf(trial, tuned));
}

function observationOf(trial: Trial, tuned: Tuned): Observation {
  const last = trial.reports.findLast(({ metrics }) => scoreOf(metrics, tuned) !== undefined);
  return {
    assignment: trial.assignment,
    state: isOver(trial) ? (trial.isPruned === true ? 'pruned' : 'complete') : 'running',
    score: last && scoreOf(last.metrics, tuned),
    iteration: last?.iteration ?? 0,
  };
}
