// The bytes of a text file that may be compressed as a whole: .gz, .zst, .br. They are decompressed as they are read, so
// that a small file of many bytes takes time, and not memory.

import { Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError } from '../plan/dataErrors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { zstdStream } from './zstdStream.ts';

/** Endings that stand behind that of the format. */
export const compressedEndings: readonly string[] = ['.gz', '.zst', '.br'];

/** The name without the ending of its compression. */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  const ending = compressedEndings.find((one) => lower.endsWith(one));
  return ending === undefined ? name : name.slice(0, -ending.length);
}

type Decompress = (
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
) => AsyncGenerator<Uint8Array>;
type Codec = 'gzip' | 'zstd' | 'brotli';

const codecs: Record<Codec, Decompress> = {
  gzip: (source) => throughNode(source, zlib.createGunzip()),
  brotli: (source) => throughNode(source, zlib.createBrotliDecompress()),
  zstd: zstdStream,
};

/** @throws CorruptFileError when the compression is damaged or cut off. */
export async function* decompressed(
  file: ByteFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const pieces = file.stream(signal)[Symbol.asyncIterator]();
  try {
    const head = await beginning(pieces);
    const codec = codecOf(head, file.name);
    const whole = joined(head, pieces);
    yield* codec === undefined ? whole : undone(whole, codec, file.name, signal);
  } finally {
    await pieces.return?.();
  }
}

/** Enough to tell the compression, or all there is. */
async function beginning(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head = new Uint8Array(0);
  while (head.length < 4) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = head.length === 0 ? Uint8Array.from(next.value) : Uint8Array.from([...head, ...next.value]);
  }
  return head;
}

async function* joined(head: Uint8Array, pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
}

/** Text never begins like gzip or Zstandard; Brotli has no mark. */
function codecOf(head: Uint8Array, name: string): Codec | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  return name.toLowerCase().endsWith('.br') ? 'brotli' : undefined;
}

async function* undone(
  pieces: AsyncIterable<Uint8Array>,
  codec: Codec,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const failure: { of?: unknown } = {};
  const source = remembering(pieces, failure);
  try {
    yield* codecs[codec](source, signal);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (failure.of !== undefined) throw failure.of;
    throw new CorruptFileError(
      `${name} is damaged: its ${codec} compression can not be undone: ${messageOf(error)}.`,
      { file: name },
      { cause: error },
    );
  }
}

/** Errors of reading are not those of the compression. */
async function* remembering(
  pieces: AsyncIterable<Uint8Array>,
  failure: { of?: unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    failure.of = error;
    throw error;
  }
}

/** A stream with back-pressure: no more than a few pieces are decompressed ahead. */
async function* throughNode(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  input.once('error', (error) => transform.destroy(error));
  try {
    for await (const piece of input.pipe(transform)) yield piece as Uint8Array;
  } finally {
    input.destroy();
    transform.destroy();
  }
}
