// Rows between the two passes of preparation: on disk, because there may be more of them than memory.

import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { WriteFailedError } from '../../data/errors.ts';
import { writeError } from '../../data/sink/writeError.ts';
import { BLOCK_ROWS, RawBlock, type BlockLayout } from './rawBlock.ts';

export class RowSpool {
  readonly #layout: BlockLayout;
  readonly #path: string;
  readonly #file: FileHandle;
  #rows = 0;

  private constructor(layout: BlockLayout, path: string, file: FileHandle) {
    this.#layout = layout;
    this.#path = path;
    this.#file = file;
  }

  /** @throws DiskFullError, WriteFailedError when the folder can't be written. */
  static async create(folder: string, layout: BlockLayout): Promise<RowSpool> {
    const path = join(folder, `.rows-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      const file = await open(path, 'wx+', 0o600);
      // Without a name the file vanishes with the process, however that ends. Windows refuses; there close() does it.
      await rm(path, { force: true }).catch(() => undefined);
      return new RowSpool(layout, path, file);
    } catch (error) {
      throw writeError(error, folder);
    }
  }

  get rows(): number {
    return this.#rows;
  }

  /** Appends a block; all but the last must be full. */
  async append(block: RawBlock): Promise<void> {
    const position = (this.#rows / BLOCK_ROWS) * block.bytes.byteLength;
    try {
      for (let written = 0; written < block.bytes.byteLength;) {
        const piece = block.bytes.subarray(written);
        written += (await this.#file.write(piece, 0, piece.byteLength, position + written)).bytesWritten;
      }
    } catch (error) {
      throw writeError(error, this.#path);
    }
    this.#rows += block.rows;
  }

  /** All blocks in order, each in the same memory: use one before asking for the next. */
  async *blocks(): AsyncGenerator<RawBlock> {
    const block = new RawBlock(this.#layout);
    const size = block.bytes.byteLength;
    for (let firstRow = 0; firstRow < this.#rows; firstRow += BLOCK_ROWS) {
      const position = (firstRow / BLOCK_ROWS) * size;
      for (let read = 0; read < size;) {
        const { bytesRead } = await this.#file.read(block.bytes, read, size - read, position + read);
        if (bytesRead === 0) throw new WriteFailedError(`The temporary file ${this.#path} was cut off.`);
        read += bytesRead;
      }
      block.firstRow = firstRow;
      block.rows = Math.min(BLOCK_ROWS, this.#rows - firstRow);
      yield block;
    }
  }

  /** Removes the rows. Idempotent. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}
