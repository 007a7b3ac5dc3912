// Makes the tree device of a run from what the worker computes on.

import { createCpuTreeDevice } from '../../kernels/gbdt/devices/cpuDevice.ts';
import type { DeviceSpec, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import { createWebgpuTreeDevice } from '../../kernels/gbdt/devices/webgpuDevice.ts';
import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';

/** @param adapter a fresh adapter for the webgpu device; none for the cpu device. */
export async function createTreeDevice(
  spec: DeviceSpec,
  adapter: GPUAdapter | undefined,
): Promise<TreeDevice> {
  if (!adapter) return createCpuTreeDevice(spec);
  return onOwnDevice(adapter, (device) => createWebgpuTreeDevice(device, spec));
}
