// The pieces under the runner that keep it from making buffers: one GPU queue shows whether their contents arrive.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferPool } from '../../../kernels/gpu/bufferPool.ts';
import { BufferTracker } from '../../../kernels/gpu/bufferTracker.ts';
import { bufferUsage, MAP_MODE_READ } from '../../../kernels/gpu/bufferUsage.ts';
import { TransientArena } from '../../../kernels/gpu/transientArena.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';

let gpu: GPUDevice;
beforeAll(async () => {
  gpu = await openNodeGpuDevice();
});
afterAll(() => gpu.destroy());

/** Pages can't be copied from, so the arena of this test gets them with that usage added. */
function readableDevice(): GPUDevice {
  return new Proxy(gpu, {
    get(target, name) {
      if (name === 'queue') return target.queue;
      if (name !== 'createBuffer') return Reflect.get(target, name) as unknown;
      return (descriptor: GPUBufferDescriptor) =>
        target.createBuffer({ ...descriptor, usage: descriptor.usage | bufferUsage.copySource });
    },
  });
}

async function contentOf({ buffer, offset = 0, size = 0 }: GPUBufferBinding): Promise<number[]> {
  const staging = gpu.createBuffer({ size, usage: bufferUsage.mapRead | bufferUsage.copyTarget });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(MAP_MODE_READ);
  const words = [...new Uint32Array(staging.getMappedRange())];
  staging.destroy();
  return words;
}

const counting = (length: number, first: number) => Uint32Array.from({ length }, (_, i) => first + i);

describe('TransientArena', () => {
  it('gives arrays of 1, 63, 64, 65 and 257 words places of their own, at multiples of 256 bytes', async () => {
    const tracker = new BufferTracker();
    const arena = new TransientArena(readableDevice(), tracker);
    const arrays = [1, 63, 64, 65, 257].map((length, i) => counting(length, 1000 * i));
    const bindings = arrays.map((words) => arena.add(words));
    arena.flush();
    for (const [i, binding] of bindings.entries()) {
      expect((binding.offset ?? 0) % 256).toBe(0);
      expect(await contentOf(binding)).toEqual([...arrays[i]!]);
    }
    tracker.destroyAll();
  });

  it('takes more than a page, and an array larger than one, and keeps no page of unusual size', async () => {
    const tracker = new BufferTracker();
    const arena = new TransientArena(readableDevice(), tracker);
    const large = counting(100_000, 7);
    const many = Array.from({ length: 40 }, (_, i) => counting(1000, 5 * i));
    const bindings = [large, ...many].map((words) => arena.add(words));
    arena.flush();
    expect(await contentOf(bindings[0]!)).toEqual([...large]);
    expect(await contentOf(bindings[40]!)).toEqual([...many[39]!]);
    arena.reset();
    expect(tracker.liveBytes).toBe(3 * 65_536);
    // The pages that stayed are used again.
    const again = arena.add(counting(3, 1));
    arena.flush();
    expect(await contentOf(again)).toEqual([1, 2, 3]);
    expect(tracker.liveBytes).toBe(3 * 65_536);
    tracker.destroyAll();
  });

  it('binds an empty array as the smallest binding there is', () => {
    const tracker = new BufferTracker();
    expect(new TransientArena(gpu, tracker).add(new Uint32Array())).toMatchObject({ offset: 0, size: 4 });
    tracker.destroyAll();
  });
});

describe('BufferPool', () => {
  it('hands a buffer out again that was given back, and never one that is in use', () => {
    const tracker = new BufferTracker();
    const pool = new BufferPool(gpu, tracker, 'pool', bufferUsage.storage);
    const first = pool.take(5000);
    const second = pool.take(8192);
    expect(second).not.toBe(first);
    pool.giveBack(first);
    expect(pool.take(6000)).toBe(first);
    expect([first.size, second.size, tracker.liveBytes]).toEqual([8192, 8192, 16_384]);
    tracker.destroyAll();
  });
});
