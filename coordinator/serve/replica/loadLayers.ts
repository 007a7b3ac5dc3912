// Loads a tf.LayersModel into the thread of a replica. It brings tfjs with it.

import * as tf from '@tensorflow/tfjs';
import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import type { LayersFiles } from '../../../shared/neural/model/layersFiles.ts';
import { NeuralModelError } from '../../../shared/neural/graph/modelErrors.ts';
import { TfjsNet } from '../../../shared/neural/predict/tfjsNet.ts';
import { CheckpointError } from '../../checkpoint/checkpointError.ts';
import { AdapterMissingError } from '../../../shared/neural/predict/adapterMissingError.ts';
import { useBackend } from '../../checkpoint/tfjsThread/tfBackend.ts';
import { UnavailableError } from '../request/serveErrors.ts';

/** @throws CheckpointError, UnavailableError where the device is not there. */
export async function loadLayers(files: LayersFiles, device: DeviceKind = 'cpu'): Promise<TfjsNet> {
  try {
    await useBackend(device);
    return await TfjsNet.load(tf, files);
  } catch (error) {
    if (error instanceof AdapterMissingError)
      throw new UnavailableError(error.message, error.place, { cause: error });
    if (!(error instanceof NeuralModelError)) throw error;
    throw new CheckpointError(error.message, error.place, { cause: error });
  }
}
