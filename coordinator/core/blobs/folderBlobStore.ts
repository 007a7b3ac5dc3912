// Blobs as files of a folder: each is written aside, verified, and renamed to its place.

import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { isDiskFull } from '../../files/isDiskFull.ts';
import { makePrivateFolder } from '../../files/privateFolder.ts';
import { BlobMissingError, StorageError, StorageFullError } from './blobErrors.ts';
import {
  BlobStore,
  isSha256,
  type BlobAddress,
  type BytePieces,
  type ByteRange,
  type PutOptions,
} from './blobStore.ts';
import { writeVerified } from './writeVerified.ts';

/** Unfinished writes older than this are left over from a process that was killed. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

export class FolderBlobStore extends BlobStore {
  readonly folder: string;
  readonly #incoming: string;

  private constructor(folder: string) {
    super();
    this.folder = folder;
    this.#incoming = join(folder, 'incoming');
  }

  /**
   * Opens the store in `folder`, making it where it is missing; other accounts of the machine can not open it.
   * @param onRemark told where they could until now, or still can.
   * @throws StorageError when the folder can't be made or written.
   */
  static async open(
    folder: string,
    onRemark: (remark: string) => void = () => undefined,
  ): Promise<FolderBlobStore> {
    const store = new FolderBlobStore(resolve(folder));
    try {
      const remark = await makePrivateFolder(store.folder);
      if (remark !== undefined) onRemark(remark);
      await mkdir(store.#incoming, { recursive: true, mode: 0o700 });
      await store.#sweepLeftovers();
    } catch (error) {
      throw storageFailure(error, `The blob folder ${store.folder} cannot be used`);
    }
    return store;
  }

  get place(): string {
    return this.folder;
  }

  async putStream(source: BytePieces, options: PutOptions = {}): Promise<BlobAddress> {
    const file = join(this.#incoming, randomUUID());
    try {
      const address = await writeVerified(file, source, options);
      const target = this.pathOf(address.sha256);
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 });
      await rename(file, target);
      return address;
    } catch (error) {
      await rm(file, { force: true });
      throw storageFailure(error, `A blob cannot be written to ${this.folder}`);
    }
  }

  async touch(sha256: string): Promise<boolean> {
    const now = new Date();
    try {
      await utimes(this.pathOf(sha256), now, now);
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw storageFailure(error, `Blob ${sha256} cannot be used`);
    }
  }

  async deleteIdle(sha256: string, idleMs: number): Promise<boolean> {
    try {
      if ((await stat(this.pathOf(sha256))).mtimeMs >= Date.now() - idleMs) return false;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return true;
      throw storageFailure(error, `Blob ${sha256} cannot be read`);
    }
    await this.delete(sha256);
    return true;
  }

  async sweep(inUse: ReadonlySet<string>, idleMs: number): Promise<number> {
    const oldest = Date.now() - idleMs;
    let swept = 0;
    for (const prefix of await readdir(this.folder)) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
      for (const sha256 of await readdir(join(this.folder, prefix))) {
        if (!isSha256(sha256) || inUse.has(sha256)) continue;
        if ((await stat(this.pathOf(sha256))).mtimeMs >= oldest) continue;
        await this.delete(sha256);
        swept += 1;
      }
    }
    return swept;
  }

  async sizeBytes(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined;
    try {
      return (await stat(this.pathOf(sha256))).size;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw storageFailure(error, `Blob ${sha256} cannot be read`);
    }
  }

  protected async readWhole(sha256: string): Promise<Uint8Array> {
    try {
      return await readFile(this.pathOf(sha256));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw new BlobMissingError(`No blob ${sha256} is stored`);
      throw storageFailure(error, `Blob ${sha256} cannot be read`);
    }
  }

  stream(sha256: string, range?: ByteRange): Readable {
    return createReadStream(this.pathOf(sha256), range && { start: range.start, end: range.end });
  }

  async delete(sha256: string): Promise<void> {
    await rm(this.pathOf(sha256), { force: true });
  }

  /** Where the file of a blob is, or would be. */
  pathOf(sha256: string): string {
    if (!isSha256(sha256))
      throw new BlobMissingError(`"${sha256.slice(0, 80)}" is not a SHA-256 in hexadecimal`);
    return join(this.folder, sha256.slice(0, 2), sha256);
  }

  async #sweepLeftovers(): Promise<void> {
    const oldest = Date.now() - LEFTOVER_AGE_MS;
    for (const name of await readdir(this.#incoming)) {
      const file = join(this.#incoming, name);
      const { mtimeMs } = await stat(file);
      if (mtimeMs < oldest) await rm(file, { force: true });
    }
  }
}

function systemCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function storageFailure(error: unknown, what: string): unknown {
  if (isDiskFull(error)) {
    return new StorageFullError(
      `${what}: the disk has no room left. Free some, or choose another storage folder.`,
      {},
      {
        cause: error,
      },
    );
  }
  // Codes of the operating system start with E and come with a syscall; our own errors and the source's pass through.
  if (systemCode(error) !== undefined && (error as NodeJS.ErrnoException).syscall !== undefined) {
    return new StorageError(`${what}: ${(error as Error).message}`, {}, { cause: error });
  }
  return error;
}
