// Small arrays and uniforms that only the next submission needs. They are gathered in memory and written in one go just
// before the commands are handed over: making a buffer for each costs Dawn on Vulkan up to a millisecond, which was most
// of a round (docs/performance.md). A queue runs in order, so the same bytes serve the next submission.

import type { BufferTracker } from './bufferTracker.ts';
import { bufferUsage } from './bufferUsage.ts';
import type { WordArray } from './op.ts';
import { bytesUnder } from '../bytesUnder.ts';

/** Bindings start at multiples of this (minStorageBufferOffsetAlignment and its twin for uniforms; 256 everywhere). */
const ALIGNMENT_BYTES = 256;
const PAGE_BYTES = 64 * 1024;
const PAGE_USAGE = bufferUsage.storage | bufferUsage.uniform | bufferUsage.copyTarget;
/** WebGPU refuses empty bindings. */
const SMALLEST_BYTES = 4;

interface Page {
  readonly buffer: GPUBuffer;
  readonly content: Uint8Array<ArrayBuffer>;
  usedBytes: number;
}

export class TransientArena {
  readonly #device: GPUDevice;
  readonly #tracker: BufferTracker;
  #pages: Page[] = [];
  #current = 0;

  constructor(device: GPUDevice, tracker: BufferTracker) {
    this.#device = device;
    this.#tracker = tracker;
  }

  /** A binding of exactly these words, good for commands of the submission after the next `flush`. */
  add(words: WordArray): GPUBufferBinding {
    const size = Math.max(SMALLEST_BYTES, words.byteLength);
    const page = this.#pageFor(size);
    const offset = page.usedBytes;
    page.content.set(bytesUnder(words), offset);
    page.usedBytes = Math.ceil((offset + size) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return { buffer: page.buffer, offset, size };
  }

  /** Writes what was added; to be called just before the commands that read it are submitted. */
  flush(): void {
    for (const page of this.#pages) {
      if (page.usedBytes === 0) continue;
      this.#device.queue.writeBuffer(page.buffer, 0, page.content, 0, page.usedBytes);
    }
  }

  /** After the submission: everything may be overwritten. Pages of unusual size are not kept. */
  reset(): void {
    for (const page of this.#pages) if (page.content.length > PAGE_BYTES) this.#tracker.destroy(page.buffer);
    this.#pages = this.#pages.filter((page) => page.content.length === PAGE_BYTES);
    for (const page of this.#pages) page.usedBytes = 0;
    this.#current = 0;
  }

  #pageFor(size: number): Page {
    for (; this.#current < this.#pages.length; this.#current += 1) {
      const page = this.#pages[this.#current]!;
      if (page.usedBytes + size <= page.content.length) return page;
    }
    const bytes = Math.max(PAGE_BYTES, Math.ceil(size / ALIGNMENT_BYTES) * ALIGNMENT_BYTES);
    const descriptor = { label: 'transients', size: bytes, usage: PAGE_USAGE };
    const page = {
      buffer: this.#tracker.create(this.#device, descriptor),
      content: new Uint8Array(bytes),
      usedBytes: 0,
    };
    this.#pages.push(page);
    return page;
  }
}
