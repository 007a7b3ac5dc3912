// Zstandard in one piece, as pages and buffers of data files have it.

import { ZstdDecompressor } from './zstdDecompressor.ts';

/** More than a page or a buffer may have. */
const MAX_CONTENT_BYTES = 2 ** 30;
/** A block of 128 KiB takes four bytes at least. https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.2 */
const MAX_EXPANSION = 2 ** 15;
/** A decompressor that grew beyond this is not kept. */
const MAX_KEPT_BYTES = 2 ** 26;

/** Starting a decompressor takes as long as a page of a megabyte: the last one is used again. */
class Unpacker {
  #decompressor: ZstdDecompressor | undefined;

  /** @returns the content, which is no more than fits into `out`. */
  unpack(bytes: Uint8Array, out: Uint8Array): Uint8Array {
    const decompressor = this.#decompressor ?? new ZstdDecompressor();
    // After an error it is of no use.
    this.#decompressor = undefined;
    let filled = 0;
    for (const piece of decompressor.push(bytes)) {
      if (piece.length > out.length - filled) throw new Error(`it holds more than ${out.length} bytes`);
      out.set(piece, filled);
      filled += piece.length;
    }
    decompressor.end();
    if (decompressor.heldBytes <= MAX_KEPT_BYTES) this.#decompressor = decompressor;
    return out.subarray(0, filled);
  }
}

const unpacker = new Unpacker();

/**
 * @param sizeBytes of the content, as the file claims it.
 * @returns the content, which may be less.
 * @throws Error when it is damaged, or more than `sizeBytes`, or so many can not be in it.
 */
export function unpackZstd(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (sizeBytes > MAX_CONTENT_BYTES) {
    throw new Error(`it claims ${sizeBytes} bytes; no more than ${MAX_CONTENT_BYTES} are supported`);
  }
  if (sizeBytes > bytes.length * MAX_EXPANSION) {
    throw new Error(`${bytes.length} bytes of Zstandard claim to hold ${sizeBytes}`);
  }
  return unpacker.unpack(bytes, new Uint8Array(sizeBytes));
}
