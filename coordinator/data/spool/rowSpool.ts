// Rows on disk for as long as an operation needs them: what does not fit in memory goes here.

import { mkdtempSync, openSync, closeSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { read } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as arrow from 'apache-arrow';
import { bytesOfBatch } from '../../../shared/columns/ipc/batchBytes.ts';
import { concatBatches } from '../../../shared/columns/concatBatches.ts';
import { writeError } from '../store/writeError.ts';

const readAsync = promisify(read);
const FLUSH_BYTES = 4 * 1024 * 1024;

/** Batches in a file without a name: the system frees it even when the process is killed. */
export class RowSpool {
  readonly #descriptor: number;
  readonly #leftover: string | undefined;
  readonly #frames: { readonly start: number; readonly sizeBytes: number }[] = [];
  #position = 0;
  #held: arrow.RecordBatch[] = [];
  #heldBytes = 0;
  #closed = false;
  rows = 0;

  /** @throws DiskFullError, WriteFailedError */
  constructor(tempFolder: string) {
    try {
      const folder = mkdtempSync(join(tempFolder, 'tabgrad-rows-'));
      const path = join(folder, 'rows');
      this.#descriptor = openSync(path, 'wx+');
      try {
        unlinkSync(path);
        rmSync(folder, { recursive: true });
      } catch {
        // Windows does not remove open files; they go when the spool is closed.
        this.#leftover = folder;
      }
    } catch (error) {
      throw writeError(error, tempFolder);
    }
  }

  /** Small batches are joined before they are written. @throws DiskFullError, WriteFailedError */
  append(batch: arrow.RecordBatch): void {
    this.#held.push(batch);
    this.#heldBytes += batchBytes(batch);
    this.rows += batch.numRows;
    if (this.#heldBytes >= FLUSH_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#held.length === 0) return;
    const bytes = bytesOfBatch(concatBatches(this.#held));
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#position + done);
      }
    } catch (error) {
      throw writeError(error, 'the temporary file');
    }
    this.#frames.push({ start: this.#position, sizeBytes: bytes.length });
    this.#position += bytes.length;
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** All rows in the order of appending. May be called more than once. */
  async *read(): AsyncGenerator<arrow.RecordBatch> {
    this.#flush();
    for (const { start, sizeBytes } of this.#frames) {
      const bytes = new Uint8Array(sizeBytes);
      for (let done = 0; done < sizeBytes;) {
        const { bytesRead } = await readAsync(this.#descriptor, bytes, done, sizeBytes - done, start + done);
        if (bytesRead === 0) throw writeError(new Error('the temporary file is shorter than written'), 'it');
        done += bytesRead;
      }
      yield* arrow.tableFromIPC(bytes).batches;
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
    if (this.#leftover !== undefined) rmSync(this.#leftover, { recursive: true, force: true });
  }
}

/** Bytes that a batch keeps in memory; dictionaries, which batches share, not counted. */
export function batchBytes(batch: arrow.RecordBatch): number {
  return batch.data.children.reduce((total, data) => total + dataBytes(data), 0);
}

function dataBytes(data: arrow.Data): number {
  let bytes = Math.ceil(data.length / 8);
  const offsets = data.valueOffsets as Int32Array | undefined;
  if (offsets !== undefined && data.length > 0) {
    bytes += 4 * data.length;
    if (data.children.length === 0) bytes += Number(offsets[data.length]) - Number(offsets[0]);
  } else if (ArrayBuffer.isView(data.values)) {
    bytes += data.values.byteLength;
  }
  return data.children.reduce((total, child) => total + dataBytes(child), bytes);
}
