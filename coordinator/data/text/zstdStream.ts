// Zstandard of text files, decompressed no further than its reader asks for.

import { setImmediate } from 'node:timers/promises';
import { ZstdDecompressor } from '../codec/zstdDecompressor.ts';

/** Decompressed between two looks at what else there is to do: a few bytes may become many gigabytes. */
const BYTES_A_TURN = 2 ** 23;

/** @throws Error for what is no Zstandard, is cut off, or asks for too much memory. */
export async function* zstdStream(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const decompressor = new ZstdDecompressor();
  let turnBytes = 0;
  for await (const packed of source) {
    for (const piece of decompressor.push(packed)) {
      turnBytes += piece.length;
      yield piece.slice();
      if (turnBytes < BYTES_A_TURN) continue;
      turnBytes = 0;
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  decompressor.end();
}
