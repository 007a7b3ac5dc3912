// A neural net of a checkpoint that travelled here, for batches of anybody.

import { readModelJson, readWeights } from '../../shared/neural/model/layersFormat.ts';
import {
  NetBatchPredictor,
  type NetPredictorOptions,
} from '../../shared/neural/predict/netBatchPredictor.ts';
import { INPUTS_FILE, readNetInputs } from '../../shared/neural/predict/netInputs.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';

export class NeuralPredictor extends NetBatchPredictor {
  constructor(checkpoint: CarriedCheckpoint, options?: NetPredictorOptions) {
    const file = 'model.json';
    const { topology, manifest } = readModelJson(checkpoint.modelText(), file);
    const weights = readWeights(manifest, (name) => checkpoint.readBytes(name), file);
    const isTold = checkpoint.fileNames().includes(INPUTS_FILE);
    const inputs = isTold ? readNetInputs(checkpoint.readText(INPUTS_FILE), INPUTS_FILE) : [];
    super({ topology, weights, inputs, file }, options);
  }
}
