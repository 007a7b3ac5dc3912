// Buffers of one usage that are used again instead of made anew: making one costs Dawn on Vulkan up to a millisecond.
// Sizes are powers of two, so that a growing need leaves at most as much behind as it has.

import type { BufferTracker } from './bufferTracker.ts';

const SMALLEST_BYTES = 4096;

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #tracker: BufferTracker;
  readonly #label: string;
  readonly #usage: number;
  readonly #idle = new Map<number, GPUBuffer[]>();

  constructor(device: GPUDevice, tracker: BufferTracker, label: string, usage: number) {
    this.#device = device;
    this.#tracker = tracker;
    this.#label = label;
    this.#usage = usage;
  }

  /** A buffer of at least so many bytes, with whatever was in it. */
  take(bytes: number): GPUBuffer {
    const size = Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
    // Whole buffers are bound, and the limit of that need not be a power of two.
    const allowed = Math.max(bytes, Math.min(size, this.#device.limits.maxStorageBufferBindingSize));
    const idle = this.#idle.get(allowed)?.pop();
    if (idle) return idle;
    return this.#tracker.create(this.#device, { label: this.#label, size: allowed, usage: this.#usage });
  }

  giveBack(buffer: GPUBuffer): void {
    const idle = this.#idle.get(buffer.size) ?? [];
    this.#idle.set(buffer.size, [...idle, buffer]);
  }
}
