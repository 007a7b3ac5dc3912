// The work of each step as a fixed list of microbatches: it follows from the run's spec alone.

import type { NeuralSpec } from './neuralSpec.ts';

/** Consecutive positions of an epoch's order. */
export interface MicrobatchPlace {
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
}

type PlannedRun = Pick<NeuralSpec, 'globalBatchSize' | 'microbatchSize'> & {
  readonly train: { readonly rows: number };
};

export function stepsPerEpoch({ train, globalBatchSize }: PlannedRun): number {
  return Math.ceil(train.rows / globalBatchSize);
}

/** Steps behind a run when what begins with `step` is committed: the next one, or all up to the next outer step. */
export function nextCommit(
  { localSteps, steps }: Pick<NeuralSpec, 'localSteps' | 'steps'>,
  step: number,
): number {
  const every = localSteps?.steps ?? 1;
  return Math.min(steps, (Math.floor(step / every) + 1) * every);
}

/** Whether a multiple of `every` lies after the first step and not after the other. */
export function passes(every: number, first: number, last: number): boolean {
  return Math.floor(last / every) > Math.floor(first / every);
}

/** The last step of an epoch takes the rows that are left. */
export function microbatchesOf(run: PlannedRun, step: number): MicrobatchPlace[] {
  const perEpoch = stepsPerEpoch(run);
  const epoch = Math.floor(step / perEpoch);
  const start = (step % perEpoch) * run.globalBatchSize;
  return cut(start, Math.min(run.train.rows, start + run.globalBatchSize), run.microbatchSize, epoch);
}

export function examplesIn(places: readonly MicrobatchPlace[]): number {
  return places.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** All rows in pieces, for evaluation. */
export function allMicrobatches(rows: number, size: number): MicrobatchPlace[] {
  return cut(0, rows, size, 0);
}

function cut(start: number, end: number, size: number, epoch: number): MicrobatchPlace[] {
  const places: MicrobatchPlace[] = [];
  for (let from = start; from < end; from += size)
    places.push({ epoch, from, to: Math.min(end, from + size) });
  return places;
}

/**
 * Whose microbatches are whose: consecutive ones, in proportion to speed. Every member computes the same from the same.
 * @param speeds of each rank.
 * @returns rank's bounds in a list of `count`.
 */
export function shareOfSpeed(
  count: number,
  speeds: readonly number[],
  rank: number,
): [from: number, to: number] {
  const total = speeds.reduce((sum, speed) => sum + speed, 0);
  const bound = (ranks: number): number =>
    Math.round((count * speeds.slice(0, ranks).reduce((sum, speed) => sum + speed, 0)) / total);
  return [bound(rank), bound(rank + 1)];
}

/** Half of the last speeds and half of what was measured, relative to the mean. Who had nothing to do is not slow: it counts as the mean. */
export function nextSpeeds(last: readonly number[], measured: ArrayLike<number>): readonly number[] {
  const busy = Array.from(measured).filter((speed) => speed > 0);
  if (busy.length === 0) return last;
  const mean = busy.reduce((sum, speed) => sum + speed, 0) / busy.length;
  return Array.from(measured, (speed, rank) => {
    const next = speed > 0 ? speed / mean : 1;
    return 0.5 * (last[rank] ?? 1) + 0.5 * next;
  });
}
