// What the predictors have in common when they run on workers.

import type { PredictedColumns } from '../program/program.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';

/** The path of a checkpoint means nothing on a worker: the checkpoint itself is carried there. */
export function withCheckpoint([checkpoint, ...others]: readonly unknown[]): readonly unknown[] {
  return [typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint, ...others];
}

/** @param args of the predictor's constructor. */
export function predictedColumns(
  outputColumns: readonly string[],
  [, options]: readonly unknown[],
  { areFinite, tolerance }: Pick<PredictedColumns, 'areFinite' | 'tolerance'>,
): PredictedColumns {
  const { keepColumns = false } = (options ?? {}) as Partial<PredictedColumns>;
  return { outputs: outputColumns, keepColumns, areFinite, tolerance };
}
