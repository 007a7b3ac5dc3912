// Content-addressed bytes on disk: shards, specs and trees, each under its SHA-256. A blob appears under its name only
// when all of it is there and verified (written aside, then renamed), so readers never see half of one.

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { isDiskFull } from '../files/isDiskFull.ts';
import {
  BlobMismatchError,
  BlobMissingError,
  BlobTooLargeError,
  StorageError,
  StorageFullError,
} from './blobErrors.ts';

export interface BlobAddress {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface PutOptions {
  /** Refuse bytes that hash to anything else. */
  readonly sha256?: string;
  /** Refuse more bytes than this. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Bytes `start` to `end`, both counted in, as in an HTTP range. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Unfinished writes older than this are left over from a process that was killed. */
const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

export class BlobStore {
  readonly folder: string;
  readonly #incoming: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#incoming = join(folder, 'incoming');
  }

  /**
   * Opens the store in `folder`, making it where it is missing.
   * @throws StorageError when the folder can't be made or written.
   */
  static async open(folder: string): Promise<BlobStore> {
    const store = new BlobStore(resolve(folder));
    try {
      await mkdir(store.#incoming, { recursive: true });
      await store.#sweepLeftovers();
    } catch (error) {
      throw storageFailure(error, `The blob folder ${store.folder} cannot be used`);
    }
    return store;
  }

  /** Stores bytes; storing the same bytes again costs a hash and nothing else. */
  async putBytes(bytes: Uint8Array): Promise<BlobAddress> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (!(await this.touch(sha256))) await this.putStream([bytes], { sha256 });
    return { sha256, sizeBytes: bytes.byteLength };
  }

  /** Stores a plain value as UTF-8 JSON. */
  putJson(value: unknown): Promise<BlobAddress> {
    return this.putBytes(new TextEncoder().encode(JSON.stringify(value)));
  }

  /**
   * Stores a stream of bytes, one chunk in memory at a time.
   * @throws BlobMismatchError, BlobTooLargeError, StorageFullError, StorageError, or what the source throws. Nothing
   * of a refused or broken stream remains.
   */
  async putStream(
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<BlobAddress> {
    const file = join(this.#incoming, randomUUID());
    try {
      const address = await this.#write(file, source, options);
      const target = this.pathOf(address.sha256);
      await mkdir(join(target, '..'), { recursive: true });
      await rename(file, target);
      return address;
    } catch (error) {
      await rm(file, { force: true });
      throw storageFailure(error, `A blob cannot be written to ${this.folder}`);
    }
  }

  async #write(
    file: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    { sha256: expected, maxBytes = Infinity, signal }: PutOptions,
  ): Promise<BlobAddress> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const handle = await open(file, 'wx');
    try {
      for await (const chunk of source) {
        signal?.throwIfAborted();
        sizeBytes += chunk.byteLength;
        if (sizeBytes > maxBytes) throw new BlobTooLargeError(`A blob may have at most ${maxBytes} bytes`);
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
    } finally {
      await handle.close();
    }
    const sha256 = hash.digest('hex');
    if (expected !== undefined && sha256 !== expected) {
      throw new BlobMismatchError(`The ${sizeBytes} bytes hash to ${sha256}, expected ${expected}`);
    }
    return { sha256, sizeBytes };
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.sizeBytes(sha256)) !== undefined;
  }

  /** Somebody counts on this blob: it is as good as new. False when it is not there. */
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

  /**
   * Deletes blobs that are not in use and that nobody has stored, asked for or counted on for `idleMs`.
   * @returns how many went.
   */
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

  /** Length of a stored blob, or undefined when it is not there. */
  async sizeBytes(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined;
    try {
      return (await stat(this.pathOf(sha256))).size;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw storageFailure(error, `Blob ${sha256} cannot be read`);
    }
  }

  /**
   * All bytes of a blob, verified.
   * @throws BlobMissingError; BlobMismatchError when the disk no longer holds what was stored.
   */
  async read(sha256: string): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.pathOf(sha256));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw new BlobMissingError(`No blob ${sha256} is stored`);
      throw storageFailure(error, `Blob ${sha256} cannot be read`);
    }
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual !== sha256) throw new BlobMismatchError(`Blob ${sha256} is damaged: it hashes to ${actual}`);
    return bytes;
  }

  async readJson(sha256: string): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.read(sha256)));
  }

  /** A stream of a stored blob or of a range of it; the receiver verifies. */
  stream(sha256: string, range?: ByteRange): Readable {
    return createReadStream(this.pathOf(sha256), range && { start: range.start, end: range.end });
  }

  /** Forgets a blob. One that is not there is no error. */
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
