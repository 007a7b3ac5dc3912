// Page decompression: Node's own zlib where it knows the codec, JavaScript otherwise.

import zlib from 'node:zlib';
import { compressors } from 'hyparquet-compressors';
import type { CompressionCodec } from 'hyparquet';
import { UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';

/** Node has native Zstandard from 22.15 and 23.8 on. */
const nativeZstd = (zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: object) => Uint8Array })
  .zstdDecompressSync;

/**
 * @param sizeBytes of the content, as the page header gives it; it was bounded by the caller.
 * @throws whatever the codec throws on damaged input, and Error when the size is not `sizeBytes`.
 */
export function decompress(codec: CompressionCodec, bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (codec === 'UNCOMPRESSED') return bytes;
  // Pages without a single value may have no bytes at all, not even a codec's frame.
  if (sizeBytes === 0) return new Uint8Array(0);
  const content = decompressAny(codec, bytes, sizeBytes);
  if (content.length !== sizeBytes) {
    throw new Error(`decompressed to ${content.length} bytes where the header says ${sizeBytes}`);
  }
  // zlib gives Buffers, whose slice() does not copy.
  return new Uint8Array(content.buffer, content.byteOffset, content.length);
}

function decompressAny(codec: CompressionCodec, bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const limit = { maxOutputLength: sizeBytes };
  if (codec === 'GZIP') return zlib.gunzipSync(bytes, limit);
  if (codec === 'BROTLI') return zlib.brotliDecompressSync(bytes, limit);
  if (codec === 'ZSTD' && nativeZstd !== undefined) return nativeZstd(bytes, limit);
  const decompressor = compressors[codec];
  if (decompressor === undefined) throw new UnsupportedDataError(`The codec ${codec} is not supported.`);
  return decompressor(bytes, sizeBytes);
}
