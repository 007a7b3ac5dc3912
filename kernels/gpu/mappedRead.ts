// Waits for a staging buffer to be readable, and for what WebGPU has to say about the commands that filled it.

import { MAP_MODE_READ } from './bufferUsage.ts';
import type { GpuGuard } from './gpuGuard.ts';

/**
 * The first `bytes` of a buffer that submitted commands copy into. It is mapped afterwards.
 * @throws DeviceLostError, DeviceFailedError when any guarded command since the last read went wrong.
 */
export async function mappedRead(guard: GpuGuard, staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const mapped = staging.mapAsync(MAP_MODE_READ);
  // Both are awaited whatever the other does, so that no rejection goes unhandled.
  const [map, check] = await Promise.allSettled([mapped, guard.settled()]);
  if (check.status === 'rejected') throw guard.failure('reading results', check.reason);
  if (map.status === 'rejected') throw guard.failure('reading results', map.reason);
  return staging.getMappedRange().slice(0, bytes);
}
