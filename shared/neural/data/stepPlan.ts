// The work of each step as a fixed list of microbatches: it follows from the run's spec alone.

import type { NeuralSpec } from '../run/neuralSpec.ts';

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

/** The last step of an epoch takes the rows that are left. */
export function microbatchesOf(run: PlannedRun, step: number): MicrobatchPlace[] {
  const perEpoch = stepsPerEpoch(run);
  const epoch = Math.floor(step / perEpoch);
  const start = (step % perEpoch) * run.globalBatchSize;
  return cut(start, Math.min(run.train.rows, start + run.globalBatchSize), run.microbatchSize, epoch);
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
export function shareOf(count: number, speeds: readonly number[], rank: number): [from: number, to: number] {
  const total = speeds.reduce((sum, speed) => sum + speed, 0);
  const bound = (ranks: number): number =>
    Math.round((count * speeds.slice(0, ranks).reduce((sum, speed) => sum + speed, 0)) / total);
  return [bound(rank), bound(rank + 1)];
}
