// Predicts batches of a dataset with a trained model on disk.
// Made for dataset.mapBatches(GBDTPredictor, { fnConstructorArgs: [checkpoint] }), as in Ray's lesson.

import { TreePredictor, type TreePredictorOptions } from '../../shared/gbdt/model/treePredictor.ts';
import { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { builtinProgram, type BuiltinProgram } from '../program/builtinProgram.ts';
import { Checkpoint, MODEL_FILE } from '../checkpoint/checkpoint.ts';
import { predictedColumns, withCarried } from './predictorProgram.ts';

export type { PredictBatch } from '../../shared/gbdt/model/treePredictor.ts';
/** Columns and rounds of a GBDTPredictor. */
export type GBDTPredictorOptions = TreePredictorOptions;

/** Predicts batches of a dataset with trees: `dataset.mapBatches(GBDTPredictor, { fnConstructorArgs: [checkpoint] })`. */
export class GBDTPredictor extends TreePredictor {
  static readonly [builtinProgram]: BuiltinProgram = {
    builtin: 'GBDTPredictor',
    carriedArgs: (args) => withCarried(args, carriedModel),
    predicts: (args) =>
      predictedColumns(new GBDTPredictor(...(args as [string])).outputColumns, args, {
        areFinite: true,
        tolerance: 0,
      }),
    openHere: (carried) => new TreePredictor(...(carried as [CarriedCheckpoint])),
  };

  /**
   * @param checkpoint a checkpoint, its folder, or a model file; loaded here, once.
   * @throws CheckpointError, ModelFormatError, ModelUnsupportedError
   */
  constructor(checkpoint: Checkpoint | string, options: GBDTPredictorOptions = {}) {
    super(typeof checkpoint === 'string' ? new Checkpoint(checkpoint) : checkpoint, options);
  }
}

function carriedModel(checkpoint: Checkpoint): CarriedCheckpoint {
  return new CarriedCheckpoint(new Map([[MODEL_FILE, new TextEncoder().encode(checkpoint.modelText())]]));
}
