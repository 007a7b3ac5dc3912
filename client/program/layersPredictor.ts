// Predictions of a tf.LayersModel on this worker, for replicas of a served model. Rows are read and answers written by the
// server: this computes, with tfjs, which is loaded when such a program is opened and not before.

import type { DeviceKind } from '../../kernels/deviceKinds.ts';
import { readLayersFiles } from '../../shared/neural/model/layersFiles.ts';
import type { TfjsNet } from '../../shared/neural/predict/tfjsNet.ts';
import type { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import type { LayersFacts, NetRows, PredictedRows } from '../../shared/serve/layersNet.ts';
import { AdapterMissingError } from '../../shared/neural/predict/adapterMissingError.ts';
import { openTfjsHere } from './openTfjsHere.ts';
import type { BuiltinSurroundings } from './builtinSurroundings.ts';

export class LayersPredictor {
  readonly #device: DeviceKind;
  /** Until it is loaded. */
  #checkpoint: CarriedCheckpoint | undefined;
  #net!: TfjsNet;

  constructor(checkpoint: CarriedCheckpoint, device: DeviceKind) {
    this.#checkpoint = checkpoint;
    this.#device = device;
  }

  /** @throws AdapterMissingError, NeuralModelError, WeightsMismatchError */
  async init({ findAdapter, end }: BuiltinSurroundings): Promise<void> {
    const files = readLayersFiles(this.#checkpoint!, 'model.json');
    this.#checkpoint = undefined;
    let adapter: GPUAdapter | undefined;
    if (this.#device === 'webgpu') {
      const found = await findAdapter();
      if ('missing' in found)
        throw new AdapterMissingError(`The program's thread has no WebGPU: ${found.missing}.`);
      ({ adapter } = found);
    }
    ({ net: this.#net } = await openTfjsHere(files, adapter, (reason) =>
      end(`the GPU device was lost: ${reason}`),
    ));
  }

  facts(): LayersFacts {
    return this.#net.facts;
  }

  predict(rows: NetRows): Promise<readonly PredictedRows[]> {
    return this.#net.predict(rows);
  }

  checkHealth(): Promise<void> {
    return this.#net.checkHealth();
  }
}
