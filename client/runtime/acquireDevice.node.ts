// WebGPU in Node: Dawn from the npm package `webgpu`. Its adapters come from the Vulkan, Metal or D3D12 drivers of the
// machine; a launcher that wants the software one points VK_ICD_FILENAMES at it.

import { messageOf } from '../../shared/text/messageOf.ts';
import type { GpuAccess } from '../thread/findAdapter.ts';

/** A function that loads Dawn once and answers with its GPU object. */
export function nodeGpuAccess(): () => Promise<GpuAccess> {
  let access: Promise<GpuAccess> | undefined;
  return () => (access ??= loadDawn());
}

async function loadDawn(): Promise<GpuAccess> {
  try {
    const { create, globals } = await import('webgpu');
    // Constants such as GPUBufferUsage, which browsers have as globals.
    Object.assign(globalThis, globals);
    const gpu = create([]);
    // For tfjs.
    exposeGpu(gpu);
    return { gpu };
  } catch (error) {
    return {
      missing: `the package webgpu does not load (${messageOf(error)})`,
    };
  }
}

/** Can be called any number of times; the last one counts. */
export function exposeGpu(gpu: GPU): void {
  const globals = globalThis as unknown as { navigator?: object };
  // Node 20 has no navigator. This one is also what PeerJS needs.
  globals.navigator ??= { userAgent: 'node', platform: '' };
  Object.defineProperty(globals.navigator, 'gpu', { value: gpu, configurable: true });
}
