// WebGPU in a tab: built in where the browser has it, and only over https or from localhost.

import type { GpuAccess } from '../thread/findAdapter.ts';

export function browserGpuAccess(): Promise<GpuAccess> {
  if (!globalThis.isSecureContext) {
    return Promise.resolve({ missing: 'browsers give WebGPU to pages over https or from localhost only' });
  }
  // Typed as always there, but not every browser has it.
  const gpu = navigator.gpu as GPU | undefined;
  return Promise.resolve(gpu ? { gpu } : { missing: 'this browser has no WebGPU, or it is switched off' });
}
