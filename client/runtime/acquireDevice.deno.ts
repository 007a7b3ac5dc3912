// WebGPU in Deno: built in (wgpu).

import type { GpuAccess } from '../thread/findAdapter.ts';

export function denoGpuAccess(): Promise<GpuAccess> {
  // Typed as always there, but older versions and some platforms have none.
  const gpu = navigator.gpu as GPU | undefined;
  return Promise.resolve(gpu ? { gpu } : { missing: 'this Deno has no navigator.gpu' });
}
