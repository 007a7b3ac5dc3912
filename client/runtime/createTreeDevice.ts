// Makes the tree device of a run from what the worker computes on.

import { createCpuTreeDevice } from '../../kernels/gbdt/cpuDevice.ts';
import type { DeviceSpec, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { createWebgpuTreeDevice } from '../../kernels/gbdt/webgpuDevice.ts';

/** Limits that decide how many rows fit; the defaults are far below what most adapters have. */
const raisedLimits = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;

/** @param adapter a fresh adapter for the webgpu device; none for the cpu device. */
export async function createTreeDevice(
  spec: DeviceSpec,
  adapter: GPUAdapter | undefined,
): Promise<TreeDevice> {
  if (!adapter) return createCpuTreeDevice(spec);
  const gpuDevice = await adapter.requestDevice({
    requiredLimits: Object.fromEntries(raisedLimits.map((limit) => [limit, adapter.limits[limit]])),
  });
  try {
    return ownDevice(await createWebgpuTreeDevice(gpuDevice, spec), gpuDevice);
  } catch (error) {
    gpuDevice.destroy();
    throw error;
  }
}

/** The tree device leaves its GPUDevice alone when it is closed; here nobody else has it. */
function ownDevice(device: TreeDevice, gpuDevice: GPUDevice): TreeDevice {
  const close = device.close.bind(device);
  device.close = async () => {
    await close();
    gpuDevice.destroy();
  };
  return device;
}
