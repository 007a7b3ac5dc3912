// Zstandard: Node's own where it has it (22.15, 23.8), the reference decoder as WebAssembly otherwise. Decoders written in
// JavaScript have gone on for ever over damaged frames.

import zlib from 'node:zlib';
import { ZSTDDecoder } from 'zstddec';

const native = (zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: object) => Uint8Array })
  .zstdDecompressSync;
const decoder = native === undefined ? await startedDecoder() : undefined;

async function startedDecoder(): Promise<ZSTDDecoder> {
  const started = new ZSTDDecoder();
  await started.init();
  return started;
}

/** @throws Error when it is damaged, or more than `sizeBytes`. */
export function unpackZstd(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (native !== undefined) return native(bytes, { maxOutputLength: sizeBytes, chunkSize: sizeBytes + 64 });
  if (sizeBytes === 0) return new Uint8Array(0);
  const content = decoder!.decode(bytes, sizeBytes);
  // The library gives the number of an error as the length of the content, and that is negative.
  if (content.length === 0 || content.length > sizeBytes) {
    throw new Error(`its Zstandard frames are damaged, or hold more than ${sizeBytes} bytes`);
  }
  return content;
}
