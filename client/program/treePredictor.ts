// Predictions of a tree model on this worker, for replicas of a served model. Rows are read and answers written by the
// server: this computes.

import { Predictor, type PredictOptions } from '../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../shared/gbdt/model/readModel.ts';

export class TreePredictor {
  readonly #predictor: Predictor;
  readonly #options: PredictOptions;

  /** @param modelJson UTF-8 of a model.json. @throws ModelFormatError, ModelUnsupportedError */
  constructor(modelJson: Uint8Array, options: PredictOptions) {
    this.#predictor = new Predictor(readModel(new TextDecoder().decode(modelJson)));
    this.#options = options;
  }

  /** @param columns one a feature, in the model's order. @returns [row][output] */
  predict(columns: readonly Float32Array[], rows: number): Float32Array {
    return this.#predictor.predict(columns, rows, this.#options);
  }
}
