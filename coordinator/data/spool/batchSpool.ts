// Batches on disk for as long as an operation needs them: what does not fit in memory goes here.

import * as arrow from 'apache-arrow';
import { bytesOfBatch } from '../../../shared/columns/ipc/batchBytes.ts';
import { concatBatches } from '../../../shared/columns/concatBatches.ts';
import { SpoolFile } from './spoolFile.ts';

const FLUSH_BYTES = 4 * 1024 * 1024;

/** Batches in a temporary file. */
export class BatchSpool {
  readonly #file: SpoolFile;
  readonly #frames: { readonly start: number; readonly sizeBytes: number }[] = [];
  #position = 0;
  #held: arrow.RecordBatch[] = [];
  #heldBytes = 0;
  #written: Promise<void> = Promise.resolve();

  private constructor(file: SpoolFile) {
    this.#file = file;
  }

  /** @throws DiskFullError, WriteFailedError */
  static async create(tempFolder: string): Promise<BatchSpool> {
    return new BatchSpool(await SpoolFile.create(tempFolder));
  }

  /** Small batches are joined before they are written. @throws DiskFullError, WriteFailedError */
  async append(batch: arrow.RecordBatch): Promise<void> {
    this.#held.push(batch);
    this.#heldBytes += batchBytes(batch);
    if (this.#heldBytes >= FLUSH_BYTES) await this.#flush();
  }

  /** Resolves when all that was appended is in the file. */
  #flush(): Promise<void> {
    if (this.#held.length === 0) return this.#written;
    const bytes = bytesOfBatch(concatBatches(this.#held));
    const start = this.#position;
    this.#frames.push({ start, sizeBytes: bytes.length });
    this.#position += bytes.length;
    this.#held = [];
    this.#heldBytes = 0;
    this.#written = this.#written.then(() => this.#file.write(bytes, start));
    return this.#written;
  }

  /** All rows in the order of appending. May be called more than once. */
  async *read(): AsyncGenerator<arrow.RecordBatch> {
    await this.#flush();
    for (const { start, sizeBytes } of this.#frames) {
      const bytes = new Uint8Array(sizeBytes);
      await this.#file.read(bytes, start);
      yield* arrow.tableFromIPC(bytes).batches;
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
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
