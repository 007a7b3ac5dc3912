// Predicts batches of a dataset with a trained model on disk.
// Made for dataset.mapBatches(GBDTPredictor, { fnConstructorArgs: [checkpoint] }), as in Ray's lesson.

import { BatchPredictor, type BatchPredictorOptions } from '../../shared/gbdt/model/batchPredictor.ts';
import { builtinProgram, type BuiltinProgram } from '../program/builtinProgram.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { predictedColumns, withCheckpoint } from './predictorProgram.ts';

export type { PredictBatch } from '../../shared/gbdt/model/batchPredictor.ts';
/** Columns and rounds of a GBDTPredictor. */
export type GBDTPredictorOptions = BatchPredictorOptions;

/** Predicts batches of a dataset with trees: `dataset.mapBatches(GBDTPredictor, { fnConstructorArgs: [checkpoint] })`. */
export class GBDTPredictor extends BatchPredictor {
  static readonly [builtinProgram]: BuiltinProgram = {
    builtin: 'GBDTPredictor',
    carriedArgs: withCheckpoint,
    predicts: (args) => predictedColumns(new GBDTPredictor(...(args as [string])).outputColumns, args, true),
  };

  /**
   * @param checkpoint a checkpoint, its folder, or a model file; loaded here, once.
   * @throws CheckpointError, ModelFormatError, ModelUnsupportedError
   */
  constructor(checkpoint: Checkpoint | string, options: GBDTPredictorOptions = {}) {
    const opened = typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint;
    super(opened.loadModel(), options);
  }

  /** The same as the constructor, under its name in Ray. @throws CheckpointError, ModelFormatError, ModelUnsupportedError */
  static fromCheckpoint(checkpoint: Checkpoint | string, options?: GBDTPredictorOptions): GBDTPredictor {
    return new GBDTPredictor(checkpoint, options);
  }
}
