// Predicts batches of a dataset with a trained model on disk.
// Made for dataset.mapBatches(GBDTPredictor, { fnConstructorArgs: [checkpoint] }), as in Ray's lesson.

import { TreePredictor, type TreePredictorOptions } from '../../shared/gbdt/model/treePredictor.ts';
import { builtinProgram, type BuiltinProgram } from '../program/builtinProgram.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { predictedColumns, withCheckpoint } from './predictorProgram.ts';

export type { PredictBatch } from '../../shared/gbdt/model/treePredictor.ts';
/** Columns and rounds of a GBDTPredictor. */
export type GBDTPredictorOptions = TreePredictorOptions;

/** Predicts batches of a dataset with trees: `dataset.mapBatches(GBDTPredictor, { fnConstructorArgs: [checkpoint] })`. */
export class GBDTPredictor extends TreePredictor {
  static readonly [builtinProgram]: BuiltinProgram = {
    builtin: 'GBDTPredictor',
    carriedArgs: withCheckpoint,
    predicts: (args) =>
      predictedColumns(new GBDTPredictor(...(args as [string])).outputColumns, args, {
        areFinite: true,
        tolerance: 0,
      }),
    openHere: (args) => new GBDTPredictor(...(args as [string])),
  };

  /**
   * @param checkpoint a checkpoint, its folder, or a model file; loaded here, once.
   * @throws CheckpointError, ModelFormatError, ModelUnsupportedError
   */
  constructor(checkpoint: Checkpoint | string, options: GBDTPredictorOptions = {}) {
    super(typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint, options);
  }
}
