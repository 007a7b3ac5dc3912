// A neural net of a checkpoint that travelled here: for batches of anybody, and for replicas of a served model, which send
// tensors. tfjs is loaded where it is needed, and not before.

import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';
import { readLayersFiles } from '../../shared/neural/model/layersFiles.ts';
import { NetPredictor } from '../../shared/neural/predict/netPredictor.ts';
import { storedNet } from '../../shared/neural/predict/readNet.ts';
import type { NetPredictorOptions } from '../../shared/neural/predict/checkPredictorOptions.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { AdapterMissingError } from '../../shared/neural/predict/adapterMissingError.ts';
import { openTfjsHere } from './openTfjsHere.ts';
import type { BuiltinSurroundings } from './builtinSurroundings.ts';

export class NeuralPredictor extends NetPredictor {
  #surroundings: BuiltinSurroundings | undefined;

  /** @throws NeuralModelError, WeightsMismatchError */
  constructor(checkpoint: CarriedCheckpoint, options: NetPredictorOptions = {}) {
    super(storedNet(readLayersFiles(checkpoint, 'model.json'), 'model.json'), options, {
      openGpu: async (make) => {
        const engine = await onOwnDevice(await this.#adapter(), make);
        void engine.lost.then((reason) => this.#endLost(reason));
        return engine;
      },
      openTfjs: async (files, device) => {
        const adapter = device === 'webgpu' ? await this.#adapter() : undefined;
        return openTfjsHere(files, adapter, (reason) => this.#endLost(reason));
      },
    });
  }

  /** Opens the net: what can not be computed here is told before there are rows. @throws what opening it throws. */
  async init(surroundings: BuiltinSurroundings): Promise<void> {
    this.#surroundings = surroundings;
    await this.open();
  }

  async #adapter(): Promise<GPUAdapter> {
    const found = await this.#surroundings!.findAdapter();
    if (!('missing' in found)) return found.adapter;
    throw new AdapterMissingError(`The program's thread has no WebGPU: ${found.missing}.`);
  }

  #endLost(reason: string): void {
    this.#surroundings!.end(`the GPU device was lost: ${reason}`);
  }
}
