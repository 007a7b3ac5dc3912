// Loads a tf.LayersModel into the thread of a replica. It brings tfjs with it.

import * as tf from '@tensorflow/tfjs';
import type { LayersFiles } from '../../../shared/neural/model/layersFiles.ts';
import { NeuralModelError } from '../../../shared/neural/model/modelErrors.ts';
import { TfjsNet } from '../../../shared/neural/predict/tfjsNet.ts';
import { CheckpointError } from '../../train/trainErrors.ts';
import { useBackend } from './tfBackend.ts';

/** @throws CheckpointError, UnavailableError where the device is not there. */
export async function loadLayers(files: LayersFiles, device: 'cpu' | 'webgpu' = 'cpu'): Promise<TfjsNet> {
  await useBackend(device);
  try {
    return await TfjsNet.load(tf, files);
  } catch (error) {
    if (!(error instanceof NeuralModelError)) throw error;
    throw new CheckpointError(error.message, error.place, { cause: error });
  }
}
