// A GPU adapter of this platform, or why there is none.

import { messageOf } from '../../shared/text/messageOf.ts';

/** The platform's WebGPU, or why it has none. */
export type GpuAccess = { readonly gpu: GPU } | { readonly missing: string };

/** Asks the platform for its WebGPU. */
export type OpenGpu = () => Promise<GpuAccess>;

export type AdapterSearch = { readonly adapter: GPUAdapter } | { readonly missing: string };

export async function findAdapter(access: OpenGpu): Promise<AdapterSearch> {
  try {
    const found = await access();
    if ('missing' in found) return found;
    const adapter = await found.gpu.requestAdapter({ powerPreference: 'high-performance' });
    return adapter ? { adapter } : { missing: 'the system offers no adapter' };
  } catch (error) {
    return { missing: messageOf(error) };
  }
}
