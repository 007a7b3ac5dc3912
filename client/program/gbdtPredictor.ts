// GBDTPredictor as programs have it: of a checkpoint that was carried to the worker.

import { BatchPredictor, type BatchPredictorOptions } from '../../shared/gbdt/model/batchPredictor.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';

export class GBDTPredictor extends BatchPredictor {
  /** @throws CheckpointError, ModelFormatError, ModelUnsupportedError */
  constructor(checkpoint: Pick<CarriedCheckpoint, 'loadModel'>, options?: BatchPredictorOptions) {
    super(checkpoint.loadModel(), options);
  }

  static fromCheckpoint(
    checkpoint: Pick<CarriedCheckpoint, 'loadModel'>,
    options?: BatchPredictorOptions,
  ): GBDTPredictor {
    return new GBDTPredictor(checkpoint, options);
  }
}
