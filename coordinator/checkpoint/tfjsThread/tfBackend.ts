// Nets that tfjs computes, in a thread of Node.

import * as tf from '@tensorflow/tfjs';
import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import type { LayersFiles } from '../../../shared/neural/model/layersFiles.ts';
import type { BareNet } from '../../../shared/neural/predict/openNet.ts';
import { loadTfjsNet } from '../../../shared/neural/predict/tfjsNet.ts';
import { AdapterMissingError } from '../../../shared/neural/predict/adapterMissingError.ts';

/** @throws AdapterMissingError where there is no WebGPU adapter, NeuralModelError for a model that tfjs does not load. */
export async function openTfjsNet(files: LayersFiles, device: DeviceKind): Promise<BareNet> {
  await useBackend(device);
  const net = await loadTfjsNet(tf, files);
  // What it holds goes with the thread.
  return { ...net, close: () => Promise.resolve() };
}

async function useBackend(device: DeviceKind): Promise<void> {
  // Without checks of every value for NaN, and without advertisements on the terminal.
  tf.enableProdMode();
  if (device === 'webgpu') await mountDawn();
  const isSet = await tf.setBackend(device).catch(() => false);
  if (!isSet) throw new AdapterMissingError(`tfjs can not compute on the device "${device}" here.`);
  await tf.ready();
}

/** Puts WebGPU where tfjs looks for it: in `navigator`. */
async function mountDawn(): Promise<void> {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (!(await gpu.requestAdapter()))
    throw new AdapterMissingError('There is no WebGPU adapter on this machine; use device "cpu".');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  await import('@tensorflow/tfjs-backend-webgpu');
}
