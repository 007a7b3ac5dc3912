// A neural net of a checkpoint that travelled here, for batches of anybody.

import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';
import { createTrainingEngine } from '../../shared/neural/engine/createTrainingEngine.ts';
import { readModelJson, readWeights } from '../../shared/neural/model/layersFormat.ts';
import {
  NetBatchPredictor,
  type NetPredictorOptions,
} from '../../shared/neural/predict/netBatchPredictor.ts';
import { INPUTS_FILE, readNetInputs } from '../../shared/neural/predict/netInputs.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { AdapterMissingError } from '../../shared/neural/predict/adapterMissingError.ts';
import type { BuiltinSurroundings } from './builtinSurroundings.ts';

export class NeuralPredictor extends NetBatchPredictor {
  #surroundings: BuiltinSurroundings | undefined;

  constructor(checkpoint: CarriedCheckpoint, options: NetPredictorOptions = {}) {
    const file = 'model.json';
    const { topology, manifest } = readModelJson(checkpoint.modelText(), file);
    const weights = readWeights(manifest, (name) => checkpoint.readBytes(name), file);
    const isTold = checkpoint.fileNames().includes(INPUTS_FILE);
    const inputs = isTold ? readNetInputs(checkpoint.readText(INPUTS_FILE), INPUTS_FILE) : [];
    super({ topology, weights, inputs, file }, options, async (spec) => {
      const { findAdapter, end } = this.#surroundings!;
      const found = await findAdapter();
      if ('missing' in found)
        throw new AdapterMissingError(`The program's thread has no WebGPU: ${found.missing}.`);
      const engine = await onOwnDevice(found.adapter, (device) =>
        createTrainingEngine(spec, { device, readsBuckets: false }),
      );
      void engine.lost.then((reason) => end(`the GPU device was lost: ${reason}`));
      return engine;
    });
  }

  init(surroundings: BuiltinSurroundings): void {
    this.#surroundings = surroundings;
  }
}
