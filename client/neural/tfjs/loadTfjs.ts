// Brings tfjs to life on this worker's device. It is large, so it is loaded here and nowhere else, and only when a run needs it.

import type * as tfjs from '@tensorflow/tfjs';
import type { DeviceKind } from '../../../kernels/deviceKinds.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';

export type Tf = typeof tfjs;

export interface TfjsRuntime {
  readonly tf: Tf;
  readonly backend: DeviceKind;
  /** Resolves with the reason when the GPU device is lost; never on the processor. */
  readonly lost: Promise<string>;
  /** Waits for the GPU, and gives the device back. */
  close(): Promise<void>;
}

/** Limits that decide how large a tensor may be; the defaults are far below what most adapters have. */
const raisedLimits = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/**
 * tfjs has one current backend a process: what is opened last counts for all.
 * @param adapter a fresh adapter for the webgpu backend; none for the processor.
 */
export async function loadTfjs(adapter: GPUAdapter | undefined): Promise<TfjsRuntime> {
  const tf = await import('@tensorflow/tfjs');
  return adapter ? openWebgpu(tf, adapter) : openCpu(tf);
}

async function openCpu(tf: Tf): Promise<TfjsRuntime> {
  await tf.setBackend('cpu');
  // Its first use in Node prints an advertisement for the native package.
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  return { tf, backend: 'cpu', lost: new Promise(() => undefined), close: () => Promise.resolve() };
}

async function openWebgpu(tf: Tf, adapter: GPUAdapter): Promise<TfjsRuntime> {
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  const device = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(raisedLimits.map((limit) => [limit, adapter.limits[limit]])),
  });
  const lost = device.lost.then(({ message, reason }) => message || reason);
  try {
    // The package registers one of its own where there is a navigator.gpu, and there may be one of a former run.
    if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapter.info));
    if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs did not take the adapter');
  } catch (error) {
    device.destroy();
    throw new Error(`The WebGPU backend of tfjs does not start: ${messageOf(error)}`, { cause: error });
  }
  const close = async (): Promise<void> => {
    await device.queue.onSubmittedWorkDone().catch(() => undefined);
    device.destroy();
    await lost;
  };
  return { tf, backend: 'webgpu', lost, close };
}

/** Computes on tfjs's plain backend, whatever the runtime's own is. */
export function onProcessor<T>({ tf, backend }: TfjsRuntime, compute: (tf: Tf) => T): T {
  // Both backends are there already, so the change takes place at once.
  void tf.setBackend('cpu');
  try {
    return tf.tidy(() => compute(tf) as T & tfjs.TensorContainer);
  } finally {
    void tf.setBackend(backend);
  }
}
