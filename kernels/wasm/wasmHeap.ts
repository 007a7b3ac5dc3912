// Memory of a WebAssembly module, handed out in pieces. It grows as it is asked for more and is never given back before the
// module is; pieces that are freed are used again.

import { DeviceFailedError } from '../gpu/gpuErrors.ts';

/** Cache lines of the processors at hand: what different threads write does not share one. */
const ALIGNMENT = 64;
const PAGE_BYTES = 65_536;

const arrayTypes = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
} as const;

type ArrayTypes = typeof arrayTypes;

interface Gap {
  readonly at: number;
  readonly bytes: number;
}

/** A piece of the heap. */
export interface HeapPiece {
  /** Address of its first byte, a multiple of 64. */
  readonly at: number;
  readonly bytes: number;
}

export class WasmHeap {
  readonly memory: WebAssembly.Memory;
  readonly #mostPages: number;
  /** Ascending, no two adjacent. */
  #gaps: Gap[];
  #liveBytes = 0;

  /** @param start first byte that the module does not use itself. @param mostPages of 64 KiB, that the memory may grow to. */
  constructor(memory: WebAssembly.Memory, start: number, mostPages: number) {
    this.memory = memory;
    this.#mostPages = mostPages;
    const first = alignUp(start);
    this.#gaps = [{ at: first, bytes: memory.buffer.byteLength - first }];
  }

  /** Bytes of the pieces that are handed out. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** A piece whose content is not defined. @throws DeviceFailedError when the memory can't grow as far. */
  allocate(bytes: number): HeapPiece {
    const size = alignUp(Math.max(bytes, 1));
    const found = this.#gaps.findIndex((gap) => gap.bytes >= size);
    if (found < 0) {
      this.#grow(size);
      return this.allocate(bytes);
    }
    const gap = this.#gaps[found]!;
    const rest = gap.bytes - size;
    this.#gaps.splice(found, 1, ...(rest > 0 ? [{ at: gap.at + size, bytes: rest }] : []));
    this.#liveBytes += size;
    return { at: gap.at, bytes: size };
  }

  free({ at, bytes }: HeapPiece): void {
    this.#liveBytes -= bytes;
    this.#addGap({ at, bytes });
  }

  /**
   * The numbers at an address. In a memory that is not shared they are gone once the memory grows: take them again after each
   * `allocate`.
   */
  view<K extends keyof ArrayTypes>(type: K, at: number, length: number): InstanceType<ArrayTypes[K]> {
    return new arrayTypes[type](this.memory.buffer, at, length) as InstanceType<ArrayTypes[K]>;
  }

  /** Writes words of 32 bits: the order of the names is the layout that a kernel reads. */
  writeWords(at: number, words: Readonly<Record<string, number>>): void {
    const values = Object.values(words);
    this.view('u32', at, values.length).set(values);
  }

  #grow(bytes: number): void {
    const before = this.memory.buffer.byteLength;
    // By a quarter at least: growing often would move a memory that is not shared each time.
    const wanted = Math.max(bytes, before >> 2);
    for (const more of [wanted, bytes]) {
      const pages = Math.ceil(more / PAGE_BYTES);
      if (before / PAGE_BYTES + pages > this.#mostPages) continue;
      try {
        this.memory.grow(pages);
      } catch {
        continue;
      }
      this.#addGap({ at: before, bytes: pages * PAGE_BYTES });
      return;
    }
    throw new DeviceFailedError(
      `The memory of WebAssembly does not grow by ${Math.ceil(bytes / 1024 ** 2)} MiB: it has ${Math.round(before / 1024 ** 2)} MiB, ` +
        `and may have ${Math.round((this.#mostPages * PAGE_BYTES) / 1024 ** 2)}.`,
    );
  }

  #addGap(gap: Gap): void {
    const after = this.#gaps.findIndex(({ at }) => at > gap.at);
    const place = after < 0 ? this.#gaps.length : after;
    const left = this.#gaps[place - 1];
    const right = this.#gaps[place];
    let { at, bytes } = gap;
    let [first, count] = [place, 0];
    if (left && left.at + left.bytes === at) {
      at = left.at;
      bytes += left.bytes;
      first -= 1;
      count += 1;
    }
    if (right && gap.at + gap.bytes === right.at) {
      bytes += right.bytes;
      count += 1;
    }
    this.#gaps.splice(first, count, { at, bytes });
  }
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
