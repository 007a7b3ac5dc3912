// Content-addressed bytes: shards, specs and trees, each under its SHA-256. A blob appears under its name only when all
// of it is there and verified, so readers never see half of one. Where the bytes are is a subclass's matter.

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AbortedError } from '../../../kernels/errors.ts';
import { BlobMismatchError } from './blobErrors.ts';

/** Most bytes of a blob, unless a coordinator is told otherwise. */
export const MAX_BLOB_BYTES = 1024 ** 3;

export interface BlobAddress {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Where shards go: the coordinator's blob store, here or over HTTP. */
export interface BlobSink {
  putBytes(bytes: Uint8Array): Promise<BlobAddress>;
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

export type BytePieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

export abstract class BlobStore {
  /** What errors and logs call it; holds no secret. */
  abstract readonly place: string;

  /**
   * Stores a stream of bytes, one chunk in memory at a time.
   * @throws BlobMismatchError, BlobTooLargeError, StorageFullError, StorageError, or what the source throws. Nothing
   * of a refused or broken stream remains.
   */
  abstract putStream(source: BytePieces, options?: PutOptions): Promise<BlobAddress>;

  /** Somebody counts on this blob: it is as good as new. False when it is not there. */
  abstract touch(sha256: string): Promise<boolean>;

  /**
   * Deletes a blob that was neither stored nor touched for `idleMs`. Not those that others did so in another process.
   * @returns whether it is gone.
   */
  abstract deleteIdle(sha256: string, idleMs: number): Promise<boolean>;

  /**
   * Deletes blobs that are not in use and were neither stored, read nor touched for `idleMs`.
   * @returns how many went.
   */
  abstract sweep(inUse: ReadonlySet<string>, idleMs: number): Promise<number>;

  /** Length of a stored blob, or undefined when it is not there. */
  abstract sizeBytes(sha256: string): Promise<number | undefined>;

  /** A stream of a stored blob or of a range of it; the receiver verifies. */
  abstract stream(sha256: string, range?: ByteRange): Readable;

  /** Forgets a blob. One that is not there is no error. */
  abstract delete(sha256: string): Promise<void>;

  /** @throws BlobMissingError, StorageError */
  protected abstract readWhole(sha256: string): Promise<Uint8Array>;

  /** Stores bytes; storing the same bytes again costs a hash and nothing else. */
  async putBytes(bytes: Uint8Array): Promise<BlobAddress> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (!(await this.verify(sha256))) await this.putStream([bytes], { sha256 });
    return { sha256, sizeBytes: bytes.byteLength };
  }

  /** Stores a plain value as UTF-8 JSON. */
  putJson(value: unknown): Promise<BlobAddress> {
    return this.putBytes(new TextEncoder().encode(JSON.stringify(value)));
  }

  async has(sha256: string): Promise<boolean> {
    return (await this.sizeBytes(sha256)) !== undefined;
  }

  /**
   * Whether a blob is stored and still has the bytes that it is named by; it is as good as new then. One that lost bytes
   * is dropped, so that it can be stored anew.
   * @throws AbortedError once `signal` fires.
   */
  async verify(sha256: string, signal?: AbortSignal): Promise<boolean> {
    if (!(await this.touch(sha256))) return false;
    const hash = createHash('sha256');
    for await (const piece of this.stream(sha256)) {
      if (signal?.aborted === true) throw new AbortedError(`The check of blob ${sha256} was withdrawn.`);
      hash.update(piece as Uint8Array);
    }
    if (hash.digest('hex') === sha256) return true;
    await this.delete(sha256);
    return false;
  }

  /**
   * All bytes of a blob, verified.
   * @throws BlobMissingError; BlobMismatchError when the store no longer holds what was stored.
   */
  async read(sha256: string): Promise<Uint8Array> {
    const bytes = await this.readWhole(sha256);
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual !== sha256) throw new BlobMismatchError(`Blob ${sha256} is damaged: it hashes to ${actual}`);
    return bytes;
  }

  async readJson(sha256: string): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.read(sha256)));
  }
}
