// Zstandard piece by piece: Node's own from 22.15 and 23.8 on, JavaScript before. https://www.rfc-editor.org/rfc/rfc8878

import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';

/** Undefined where Node has none. */
export const nativeZstd = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress;

/** What is given to the decompressor at a time: a block of 128 KiB may come from a few bytes. */
const INPUT_BYTES = 1024;
/** As the library zstd has it: memory that a decompressor takes without being asked twice. */
const MAX_WINDOW_BYTES = 2 ** 27;

/** @throws Error for what is no Zstandard, is cut off, or asks for too much memory. */
export async function* zstdStream(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  const windows = new WindowCheck();
  const decompressor = new Decompress((piece) => out.push(piece.slice()));
  for await (const piece of source) {
    windows.push(piece);
    for (let start = 0; start < piece.length; start += INPUT_BYTES) {
      decompressor.push(piece.slice(start, start + INPUT_BYTES));
      yield* out;
      out = [];
    }
  }
  decompressor.push(new Uint8Array(0), true);
  yield* out;
}

const MAGIC = 0xfd2f_b528;
const SKIPPABLE = 0x184d_2a50;

/** Walks over the frames and blocks, and looks at each frame's header before memory is taken for it. */
class WindowCheck {
  #held: number[] = [];
  #skip = 0;
  #next: 'frame' | 'block' = 'frame';
  #checksumBytes = 0;

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, piece.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      this.#held.push(piece[at++]!);
      if (this.#next === 'frame' ? this.#frame(this.#held) : this.#block(this.#held)) this.#held = [];
    }
  }

  /** @returns whether the header was there in full. */
  #frame(bytes: readonly number[]): boolean {
    if (bytes.length < 5) return false;
    const magic = word(bytes, 0, 4);
    if (magic >= SKIPPABLE && magic < SKIPPABLE + 16) {
      if (bytes.length < 8) return false;
      this.#skip = word(bytes, 4, 4);
      return true;
    }
    if (magic !== MAGIC) throw new Error('there is no frame where one should begin');
    const flags = bytes[4]!;
    const isSingle = (flags & 32) !== 0;
    const sizeFlag = flags >> 6;
    const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
    const sizeBytes = sizeFlag === 0 ? Number(isSingle) : 2 ** sizeFlag;
    const start = 5 + Number(!isSingle) + dictionaryBytes;
    if (bytes.length < start + sizeBytes) return false;
    const exponent = 10 + (bytes[5]! >> 3);
    const window = isSingle ? word(bytes, start, sizeBytes) : 2 ** exponent * (1 + (bytes[5]! & 7) / 8);
    if (window > MAX_WINDOW_BYTES)
      throw new Error(`a window of ${window} bytes; no more than ${MAX_WINDOW_BYTES} are supported`);
    this.#checksumBytes = (flags & 4) === 0 ? 0 : 4;
    this.#next = 'block';
    return true;
  }

  #block(bytes: readonly number[]): boolean {
    if (bytes.length < 3) return false;
    const header = word(bytes, 0, 3);
    const isRepeated = ((header >> 1) & 3) === 1;
    this.#skip = isRepeated ? 1 : header >> 3;
    if ((header & 1) === 1) {
      this.#skip += this.#checksumBytes;
      this.#next = 'frame';
    }
    return true;
  }
}

/** Little-endian. */
function word(bytes: readonly number[], start: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[start + i]!;
  return value;
}
