// Arrow IPC files and streams, batch by batch.

import * as arrow from 'apache-arrow';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { CorruptFileError } from '../errors.ts';
import type { ByteFile } from '../store/byteFile.ts';
import { TabgradError } from '../../../shared/errors.ts';

const FILE_MARK = 'ARROW1';

/** @throws CorruptFileError */
export async function* decodeArrow(
  file: ByteFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<arrow.RecordBatch> {
  if (file.sizeBytes === 0) throw corrupt(file, 'it is empty');
  const head = await file.read(0, Math.min(8, file.sizeBytes), signal);
  const isFile = textOf(head).startsWith(FILE_MARK);
  if (isFile) {
    const tail = await file.read(Math.max(0, file.sizeBytes - FILE_MARK.length), file.sizeBytes, signal);
    if (textOf(tail) !== FILE_MARK)
      throw corrupt(file, 'it does not end with the mark "ARROW1"; it is truncated');
  }
  // A file is a stream between two marks (and a footer that a reader from the front has no use for).
  const bytes = skip(file.stream(signal), isFile ? 8 : 0);
  let reader: arrow.RecordBatchReader | undefined;
  try {
    reader = await arrow.RecordBatchReader.from(bytes);
    for await (const batch of reader as AsyncIterable<arrow.RecordBatch>) yield batch;
  } catch (error) {
    if (error instanceof TabgradError || signal?.aborted === true) throw error;
    throw corrupt(file, messageOf(error), error);
  } finally {
    await reader?.cancel();
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

async function* skip(pieces: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const piece of pieces) {
    if (left < piece.length) yield left === 0 ? piece : piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

function corrupt(file: ByteFile, reason: string, cause?: unknown): CorruptFileError {
  return new CorruptFileError(
    `${file.name} is not a readable Arrow file: ${reason}.`,
    { file: file.name },
    { cause },
  );
}
