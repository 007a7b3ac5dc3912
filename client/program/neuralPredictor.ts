// A neural net of a checkpoint that travelled here, for batches of anybody.

import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';
import { createTrainingEngine } from '../../shared/neural/engine/createTrainingEngine.ts';
import { readModelJson, readWeights } from '../../shared/neural/model/layersFormat.ts';
import { NetBatchPredictor } from '../../shared/neural/predict/netBatchPredictor.ts';
import type { NetPredictorOptions } from '../../shared/neural/predict/checkPredictorOptions.ts';
import { INPUTS_FILE, readNetInputs } from '../../shared/neural/predict/netInputs.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { AdapterMissingError } from '../../shared/neural/predict/adapterMissingError.ts';
import { openTfjsHere } from './openTfjsHere.ts';
import type { BuiltinSurroundings } from './builtinSurroundings.ts';

export class NeuralPredictor extends NetBatchPredictor {
  #surroundings: BuiltinSurroundings | undefined;

  constructor(checkpoint: CarriedCheckpoint, options: NetPredictorOptions = {}) {
    const file = 'model.json';
    const { topology, manifest } = readModelJson(checkpoint.modelText(), file);
    const weights = readWeights(manifest, (name) => checkpoint.readBytes(name), file);
    const isTold = checkpoint.fileNames().includes(INPUTS_FILE);
    const inputs = isTold ? readNetInputs(checkpoint.readText(INPUTS_FILE), INPUTS_FILE) : [];
    super({ topology, weights, inputs, file }, options, {
      openGpu: async (spec) => {
        const engine = await onOwnDevice(await this.#adapter(), (device) =>
          createTrainingEngine(spec, { device, readsBuckets: false }),
        );
        void engine.lost.then((reason) => this.#endLost(reason));
        return engine;
      },
      openTfjs: async (files, device) => {
        const opened = await openTfjsHere(
          files,
          device === 'webgpu' ? await this.#adapter() : undefined,
          (reason) => this.#endLost(reason),
        );
        const { net } = opened;
        return { facts: net.facts, predict: (rows) => net.predict(rows), close: () => opened.close() };
      },
    });
  }

  async #adapter(): Promise<GPUAdapter> {
    const found = await this.#surroundings!.findAdapter();
    if (!('missing' in found)) return found.adapter;
    throw new AdapterMissingError(`The program's thread has no WebGPU: ${found.missing}.`);
  }

  #endLost(reason: string): void {
    this.#surroundings!.end(`the GPU device was lost: ${reason}`);
  }

  init(surroundings: BuiltinSurroundings): void {
    this.#surroundings = surroundings;
  }
}
