// Nets on the GPU of the owner's machine, for predictions in this process.

import { onOwnDevice } from '../../kernels/gpu/ownedGpuDevice.ts';
import { AdapterMissingError } from '../../shared/neural/predict/adapterMissingError.ts';
import type { NetOpeners } from '../../shared/neural/predict/openNet.ts';

/** @throws AdapterMissingError, NetTooLargeError */
export const openGpuEngine: NetOpeners['openGpu'] = async (make) => {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new AdapterMissingError('There is no WebGPU adapter on this machine; predict with device "cpu".', {
      field: 'device',
    });
  }
  const engine = await onOwnDevice(adapter, make);
  // Dawn's instance must outlive its devices, and bundlers drop what only looks as if it were used.
  return Object.assign(engine, { instance: gpu });
};
