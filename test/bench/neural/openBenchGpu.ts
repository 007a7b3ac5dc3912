// The GPU that a bench runs on. TABGRAD_DAWN names a dawn.node to load, for machines to which only a bundle is carried;
// else Dawn comes from the package, on the machine's own driver where VK_ICD_FILENAMES is set and on SwiftShader where not.

import { createRequire } from 'node:module';

export interface BenchGpu {
  readonly gpu: GPU;
  readonly device: GPUDevice;
  readonly adapter: GPUAdapter;
}

interface Dawn {
  readonly create: (flags: string[]) => GPU;
  readonly globals: object;
}

/** Timestamps to the nanosecond: by default they are rounded to a tenth of a millisecond. */
const FLAGS = ['enable-dawn-features=allow_unsafe_apis', 'disable-dawn-features=timestamp_quantization'];

async function loadDawn(): Promise<Dawn> {
  const carried = process.env['TABGRAD_DAWN'];
  if (carried !== undefined) return createRequire(import.meta.url)(carried) as Dawn;
  if (process.env['VK_ICD_FILENAMES'] === undefined) {
    const { prepareSoftwareDriver } = await import('../../setup/nodeGpu.ts');
    await prepareSoftwareDriver();
  }
  return import('webgpu');
}

/** Sets navigator.gpu too, where tfjs and jax-js look. @throws Error when the machine offers no adapter. */
export async function openBenchGpu(): Promise<BenchGpu> {
  const { create, globals } = await loadDawn();
  Object.assign(globalThis, globals);
  const gpu = create(FLAGS);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('WebGPU offers no adapter here.');
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize },
  });
  return { gpu, device, adapter };
}
