// What the predictors have in common when they run on workers.

import { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import type { PredictedColumns } from '../program/program.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';

/** The path of a checkpoint means nothing on a worker: what the model needs of it is carried there. */
export function withCarried(
  [given, ...others]: readonly unknown[],
  read: (checkpoint: Checkpoint) => CarriedCheckpoint,
): readonly unknown[] {
  if (given instanceof CarriedCheckpoint) return [given, ...others];
  return [read(typeof given === 'string' ? new Checkpoint(given) : (given as Checkpoint)), ...others];
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
