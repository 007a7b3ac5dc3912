// A temporary file for what does not fit in memory. It has no name, so the system frees it even when the process is killed.

import { randomUUID } from 'node:crypto';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { WriteFailedError } from '../plan/dataErrors.ts';
import { writeError } from '../store/writeError.ts';

/** Closes files that were dropped unclosed, e.g. of a materialized dataset that is no longer in use. */
const dropped = new FinalizationRegistry<FileHandle>((file) => void file.close().catch(() => undefined));

/** Bytes at positions of a temporary file. */
export class SpoolFile {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
    dropped.register(this, file);
  }

  /** @throws DiskFullError, WriteFailedError when the folder can't be written. */
  static async create(folder: string): Promise<SpoolFile> {
    const path = join(folder, `.tabgrad-rows-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      const file = await open(path, 'wx+', 0o600);
      // Windows does not remove open files; there close() does it.
      await rm(path, { force: true }).catch(() => undefined);
      return new SpoolFile(path, file);
    } catch (error) {
      throw writeError(error, folder);
    }
  }

  /** Writes all bytes from `position` on. @throws DiskFullError, WriteFailedError */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.byteLength;) {
        const piece = bytes.subarray(done);
        done += (await this.#file.write(piece, 0, piece.byteLength, position + done)).bytesWritten;
      }
    } catch (error) {
      throw writeError(error, this.#path);
    }
  }

  /** Fills `target` from `position` on. @throws WriteFailedError when the file was cut off. */
  async read(target: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < target.byteLength;) {
      const { bytesRead } = await this.#file.read(target, done, target.byteLength - done, position + done);
      if (bytesRead === 0) throw new WriteFailedError(`The temporary file ${this.#path} was cut off.`);
      done += bytesRead;
    }
  }

  /** Frees the disk. Idempotent. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}
