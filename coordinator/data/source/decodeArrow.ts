// Arrow IPC files and streams, batch by batch.

import type * as arrow from 'apache-arrow';
import { emptyBatch } from '../../../shared/columns/concatBatches.ts';
import { ipcBatches } from '../../../shared/columns/ipc/ipcBatches.ts';
import { IpcDecoder, type IpcSettings } from '../../../shared/columns/ipc/ipcDecoder.ts';
import { readFooterSchema } from '../../../shared/columns/ipc/ipcMessage.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { unpackLz4Frames } from '../codec/lz4.ts';
import { unpackZstd } from '../codec/zstd.ts';
import { CorruptFileError, DataTooLargeError } from '../plan/dataErrors.ts';
import { BudgetExceeded, MemoryBudget } from '../store/memoryBudget.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { requireUtf8 } from '../text/requireUtf8.ts';
import { TabgradError } from '../../../kernels/errors.ts';

const FILE_MARK = 'ARROW1';
const FEATHER_1_MARK = 'FEA1';
/** The mark, padded to eight bytes. */
const HEAD_BYTES = 8;
/** Length of the footer, and the mark. */
const TAIL_BYTES = 4 + FILE_MARK.length;

/** Large and view types come as the plain ones, decimals as doubles. @throws CorruptFileError, DataTooLargeError */
export async function* decodeArrow(
  file: ByteFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  if (file.sizeBytes === 0) throw corrupt(file, 'it is empty');
  const head = textOf(await file.read(0, Math.min(HEAD_BYTES, file.sizeBytes), signal));
  if (head.startsWith(FEATHER_1_MARK))
    throw corrupt(file, 'it is Feather of version 1, which is not supported');
  try {
    yield* head.startsWith(FILE_MARK)
      ? decodeFile(file, signal)
      : decodeStream(file, 0, file.sizeBytes, signal);
  } catch (error) {
    if (error instanceof TabgradError || signal?.aborted === true) throw error;
    if (error instanceof BudgetExceeded) {
      throw new DataTooLargeError(`${file.name}: ${error.message}.`, { file: file.name }, { cause: error });
    }
    throw corrupt(file, messageOf(error), error);
  }
}

/** A file is a stream between two marks, with a footer that repeats the schema (or has it alone). */
async function* decodeFile(
  file: ByteFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  const size = file.sizeBytes;
  const tail = await file.read(Math.max(0, size - TAIL_BYTES), size, signal);
  if (textOf(tail.subarray(-FILE_MARK.length)) !== FILE_MARK) {
    throw corrupt(file, 'it does not end with the mark "ARROW1"; it is truncated');
  }
  const footerBytes = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true);
  const footerStart = size - TAIL_BYTES - footerBytes;
  if (footerBytes <= 0 || footerStart < HEAD_BYTES) {
    throw corrupt(file, `its footer claims ${footerBytes} bytes of the file's ${size}`);
  }
  const footer = await file.read(footerStart, size - TAIL_BYTES, signal);
  yield* decodeStream(file, HEAD_BYTES, footerStart, signal, readFooterSchema(footer));
}

async function* decodeStream(
  file: ByteFile,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
  schema?: arrow.Schema,
): AsyncGenerator<arrow.RecordBatch> {
  const feed = new ByteFeed(file.stream(signal), start, end);
  const decoder = new IpcDecoder(settings);
  if (schema !== undefined) decoder.begin(schema);
  let isEmpty = true;
  try {
    const steps = ipcBatches(decoder, () => feed.left);
    for (let step = steps.next(); step.done !== true;) {
      if (typeof step.value === 'number') {
        step = steps.next(await feed.take(step.value));
        continue;
      }
      isEmpty = false;
      yield step.value;
      step = steps.next();
    }
    if (decoder.schema === undefined) throw new Error('it has no schema');
    if (isEmpty) yield emptyBatch(decoder.schema);
  } finally {
    await feed.close();
  }
}

const settings: IpcSettings = {
  unpack: (codec, bytes, sizeBytes) =>
    codec === 'lz4' ? unpackLz4Frames(bytes, sizeBytes) : unpackZstd(bytes, sizeBytes),
  hold: (bytes, what, bodyBytes) => MemoryBudget.forStored(bodyBytes).take(bytes, what),
  checkText: requireUtf8,
};

/** Bytes [start, end) of what comes in pieces of any size. */
class ByteFeed {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #skip: number;
  #left: number;

  constructor(pieces: AsyncIterable<Uint8Array>, start: number, end: number) {
    this.#pieces = pieces[Symbol.asyncIterator]();
    this.#skip = start;
    this.#left = end - start;
  }

  get left(): number {
    return this.#left;
  }

  /** The next `size` bytes, no more than are left; undefined where the pieces end before. */
  async take(size: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(size);
    for (let filled = 0; filled < size;) {
      if (this.#piece.length === 0 && !(await this.#nextPiece())) return undefined;
      const part = this.#piece.subarray(0, size - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    this.#left -= size;
    return bytes;
  }

  async #nextPiece(): Promise<boolean> {
    const next = await this.#pieces.next();
    if (next.done === true) return false;
    const skipped = Math.min(this.#skip, next.value.length);
    this.#skip -= skipped;
    this.#piece = next.value.subarray(skipped);
    return true;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function corrupt(file: ByteFile, reason: string, cause?: unknown): CorruptFileError {
  return new CorruptFileError(
    `${file.name} is not a readable Arrow file: ${reason}.`,
    { file: file.name },
    { cause },
  );
}
