// Makes the tree device of a run from what the worker computes on.

import { createCpuTreeDevice } from '../../kernels/gbdt/cpuDevice.ts';
import type { DeviceSpec, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';

/** @param adapter a fresh adapter for the webgpu device; none for the cpu device. */
export function createTreeDevice(
  spec: DeviceSpec,
  adapter: GPUAdapter | undefined,
  name: string,
): Promise<TreeDevice> {
  if (!adapter) return Promise.resolve(createCpuTreeDevice(spec));
  throw new Error('TODO');
}
