// Decompression of Parquet's pages: Node's own zlib where it knows the codec, JavaScript otherwise.

import zlib from 'node:zlib';
import { compressors } from 'hyparquet-compressors';
import type { CompressionCodec } from 'hyparquet';
import { UnsupportedDataError } from '../../../shared/columns/columnErrors.ts';
import { unpackHadoopLz4, unpackLz4Block } from './lz4.ts';
import { snappyLength, unpackSnappy } from './snappy.ts';
import { unpackZstd } from './zstd.ts';

/**
 * @param sizeBytes of the content, as the page header gives it; it was bounded by the caller.
 * @param take memory for content of that size, used where the codec can write to it; else new memory.
 * @returns the content; a little less than `sizeBytes` is accepted, since writers have miscounted.
 * @throws whatever the codec throws on damaged input, and Error when it is more than `sizeBytes`.
 */
export function decompressPage(
  codec: CompressionCodec,
  bytes: Uint8Array,
  sizeBytes: number,
  take: TakeMemory = (size) => new Uint8Array(size),
): Uint8Array {
  if (codec === 'UNCOMPRESSED') return bytes;
  // Pages without a single value may have no bytes at all, not even a codec's frame.
  if (sizeBytes === 0) return new Uint8Array(0);
  const content = decompressAny(codec, bytes, sizeBytes, take);
  // zlib gives Buffers, whose slice() does not copy.
  return new Uint8Array(content.buffer, content.byteOffset, content.length);
}

type TakeMemory = (sizeBytes: number) => Uint8Array;

function decompressAny(
  codec: CompressionCodec,
  bytes: Uint8Array,
  sizeBytes: number,
  take: TakeMemory,
): Uint8Array {
  // All in one piece, which need not be joined of many; a little larger, so that its end is seen without a second one.
  const limit = { maxOutputLength: sizeBytes, chunkSize: sizeBytes + 64 };
  switch (codec) {
    case 'GZIP':
      return zlib.gunzipSync(bytes, limit);
    case 'BROTLI':
      return zlib.brotliDecompressSync(bytes, limit);
    case 'ZSTD':
      return unpackZstd(bytes, sizeBytes);
    case 'SNAPPY':
      return unpackAnySnappy(bytes, sizeBytes, take);
    case 'LZ4':
      return unpackHadoopLz4(bytes, sizeBytes);
    case 'LZ4_RAW': {
      const out = new Uint8Array(sizeBytes);
      return out.subarray(0, unpackLz4Block(bytes, out, 0));
    }
    case 'UNCOMPRESSED':
      return bytes;
    case 'LZO':
    default:
      throw new UnsupportedDataError(`The codec ${codec} is not supported.`);
  }
}

/** Pages that Snappy made no smaller than this share are literals almost alone, which the library moves byte by byte. */
const LITERAL_SHARE = 0.95;

/** The library believes the size that it is told, and gives what its memory held before where the content is less. */
function unpackAnySnappy(bytes: Uint8Array, sizeBytes: number, take: TakeMemory): Uint8Array {
  const size = snappyLength(bytes);
  if (size > sizeBytes) throw new Error(`decompresses to ${size} bytes where the header says ${sizeBytes}`);
  if (size === 0) return new Uint8Array(0);
  return bytes.length >= LITERAL_SHARE * size
    ? unpackSnappy(bytes, take(size))
    : compressors.SNAPPY!(bytes, size);
}
