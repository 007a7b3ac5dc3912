// An experiment as plots have it, and its trials from the worst to the best.

import type { PlotPoint } from './thinCurve.ts';

export interface PlottedTrial {
  readonly index: number;
  readonly status: string;
  /** Values that were searched, by path. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Last value of the metric; undefined where the trial failed or has none. */
  readonly score: number | undefined;
  /** Values of the metric by iteration. */
  readonly curve: readonly PlotPoint[];
}

export interface PlottedExperiment {
  readonly metric: string;
  readonly mode: 'max' | 'min';
  readonly trials: readonly PlottedTrial[];
}

/** A trial with the class of its score: s0 is the worst, s5 the best, and the best of all is marked. */
export interface RankedTrial extends PlottedTrial {
  readonly className: string;
}

const SCORE_CLASSES = 6;
/** With more trials than this their lines are let through. */
const MANY_TRIALS = 200;

/** The trial with the best score; the first of equals. */
export function bestTrial({ trials, mode }: PlottedExperiment): PlottedTrial | undefined {
  let best: PlottedTrial | undefined;
  for (const trial of trials) {
    const { score } = trial;
    if (score === undefined || !Number.isFinite(score)) continue;
    if (best === undefined || (mode === 'max' ? score > best.score! : score < best.score!)) best = trial;
  }
  return best;
}

/** Worst first, so that the best are drawn on top. */
export function rankTrials(experiment: PlottedExperiment): readonly RankedTrial[] {
  const best = bestTrial(experiment);
  const sign = experiment.mode === 'max' ? 1 : -1;
  const hasScore = ({ score }: PlottedTrial): boolean => score !== undefined && Number.isFinite(score);
  const scored = experiment.trials.filter(hasScore).sort((a, b) => sign * (a.score! - b.score!));
  const failed = experiment.trials.filter((trial) => !hasScore(trial));
  const last = Math.max(1, scored.length - 1);
  const many = scored.length > MANY_TRIALS ? ' many' : '';
  return [
    ...failed.map((trial) => ({ ...trial, className: 'failed' })),
    ...scored
      .filter((trial) => trial !== best)
      // By rank, not by score: one bad trial must not make all others equal.
      .map((trial, rank) => ({
        ...trial,
        className: `s${Math.min(SCORE_CLASSES - 1, Math.floor((rank / last) * SCORE_CLASSES))}${many}`,
      })),
    ...(best ? [{ ...best, className: 'best' }] : []),
  ];
}
