// Blobs as objects of an S3-compatible store. An upload is spooled to a local file first: its hash, which names and signs
// it, is known only at its end. The store checks the signed hash itself before the object appears.

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { TabgradError } from '../../../../kernels/errors.ts';
import { messageOf } from '../../../../shared/text/messageOf.ts';
import { decodeXml, S3Location } from '../../../s3/s3Location.ts';
import { isDiskFull } from '../../../files/isDiskFull.ts';
import { makeTemporaryFolder } from '../../../files/temporaryFolder.ts';
import { BlobMissingError, StorageError, StorageFullError } from '../blobErrors.ts';
import {
  BlobStore,
  isSha256,
  type BlobAddress,
  type BytePieces,
  type ByteRange,
  type PutOptions,
} from '../blobStore.ts';
import { writeVerified } from '../writeVerified.ts';
import { S3Client } from './s3Client.ts';

interface Listed {
  readonly sha256: string;
  readonly modifiedMs: number;
}

const MAX_LIST_BYTES = 8 * 1024 * 1024;

export class S3BlobStore extends BlobStore {
  readonly place: string;
  readonly #client: S3Client;
  readonly #prefix: string;
  readonly #openedMs = Date.now();
  /** When somebody counted on a blob, in this process; what others did before does not count as idle until later. */
  readonly #touchedMs = new Map<string, number>();

  private constructor(location: S3Location) {
    super();
    this.#client = new S3Client(location);
    this.#prefix = location.key.replace(/\/+$/, '');
    this.place = `s3://${location.bucket}/${this.#prefix}`;
  }

  /**
   * Opens the store at s3://bucket/prefix?endpoint=…&region=…&pathStyle=true; keys come from the environment alone.
   * @throws StorageError when the bucket can't be listed.
   */
  static async open(url: string): Promise<S3BlobStore> {
    const store = new S3BlobStore(locate(url));
    await store.#listPage('', 1);
    return store;
  }

  async putStream(source: BytePieces, options: PutOptions = {}): Promise<BlobAddress> {
    const folder = await makeTemporaryFolder('blob').catch((error: unknown) => {
      throw spoolFailure(error, tmpdir());
    });
    const file = join(folder.path, 'content');
    try {
      const address = await writeVerified(file, source, options);
      options.signal?.throwIfAborted();
      if (!(await this.touch(address.sha256))) await this.#put(address, file);
      return address;
    } catch (error) {
      throw spoolFailure(error, file);
    } finally {
      await folder.remove();
    }
  }

  async touch(sha256: string): Promise<boolean> {
    const isThere = (await this.sizeBytes(sha256)) !== undefined;
    if (isThere) this.#touchedMs.set(sha256, Date.now());
    return isThere;
  }

  async deleteIdle(sha256: string, idleMs: number): Promise<boolean> {
    if ((this.#touchedMs.get(sha256) ?? this.#openedMs) >= Date.now() - idleMs) return false;
    await this.delete(sha256);
    return true;
  }

  async sweep(inUse: ReadonlySet<string>, idleMs: number): Promise<number> {
    const oldestMs = Date.now() - idleMs;
    // Objects don't tell when they were asked for last, and another process may have known.
    if (this.#openedMs >= oldestMs) return 0;
    let swept = 0;
    for (let token: string | undefined = ''; token !== undefined;) {
      const page = await this.#listPage(token, 1000);
      for (const { sha256, modifiedMs } of page.blobs) {
        const lastMs = Math.max(modifiedMs, this.#touchedMs.get(sha256) ?? 0);
        if (inUse.has(sha256) || lastMs >= oldestMs) continue;
        await this.delete(sha256);
        swept += 1;
      }
      token = page.next;
    }
    for (const [sha256, atMs] of this.#touchedMs) if (atMs < oldestMs) this.#touchedMs.delete(sha256);
    return swept;
  }

  async sizeBytes(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined;
    const key = this.#keyOf(sha256);
    const response = await this.#client.send({ method: 'HEAD', key, accept: [404] });
    response.resume();
    return response.statusCode === 404 ? undefined : Number(response.headers['content-length']);
  }

  /** The service keeps checksums of its own, and reading all of a blob over the network costs as much as storing it. */
  override verify(sha256: string): Promise<boolean> {
    return this.touch(sha256);
  }

  stream(sha256: string, range?: ByteRange): Readable {
    return Readable.from(this.#pieces(sha256, range), { objectMode: false });
  }

  async delete(sha256: string): Promise<void> {
    (await this.#client.send({ method: 'DELETE', key: this.#keyOf(sha256), accept: [404] })).resume();
    this.#touchedMs.delete(sha256);
  }

  protected async readWhole(sha256: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#pieces(sha256)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async *#pieces(sha256: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const response = await this.#client.send({
      method: 'GET',
      key: this.#keyOf(sha256),
      ...(range && { headers: { range: `bytes=${range.start}-${range.end}` } }),
      accept: [404],
    });
    if (response.statusCode === 404) {
      response.resume();
      throw new BlobMissingError(`No blob ${sha256} is stored`);
    }
    try {
      yield* response as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw new StorageError(
        `${this.place} broke off while sending blob ${sha256}: ${messageOf(error)}.`,
        {},
        { cause: error },
      );
    }
  }

  async #put({ sha256, sizeBytes }: BlobAddress, file: string): Promise<void> {
    const body = { sha256, sizeBytes, content: sizeBytes === 0 ? new Uint8Array(0) : { file } };
    (await this.#client.send({ method: 'PUT', key: this.#keyOf(sha256), body })).resume();
    this.#touchedMs.set(sha256, Date.now());
  }

  async #listPage(token: string, maxKeys: number): Promise<{ blobs: Listed[]; next: string | undefined }> {
    const query = {
      'list-type': '2',
      prefix: this.#prefix === '' ? '' : `${this.#prefix}/`,
      'max-keys': String(maxKeys),
      ...(token !== '' && { 'continuation-token': token }),
    };
    const xml = await this.#client.text({ method: 'GET', key: '', query }, MAX_LIST_BYTES);
    const blobs: Listed[] = [];
    for (const [, entry] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
      const sha256 =
        decodeXml(/<Key>([^<]*)<\/Key>/.exec(entry!)?.[1] ?? '')
          .split('/')
          .at(-1) ?? '';
      const modifiedMs = Date.parse(/<LastModified>([^<]*)<\/LastModified>/.exec(entry!)?.[1] ?? '');
      if (isSha256(sha256) && Number.isFinite(modifiedMs)) blobs.push({ sha256, modifiedMs });
    }
    const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(xml)?.[1];
    return { blobs, next: next === undefined ? undefined : decodeXml(next) };
  }

  #keyOf(sha256: string): string {
    if (!isSha256(sha256))
      throw new BlobMissingError(`"${sha256.slice(0, 80)}" is not a SHA-256 in hexadecimal`);
    const key = `${sha256.slice(0, 2)}/${sha256}`;
    return this.#prefix === '' ? key : `${this.#prefix}/${key}`;
  }
}

const SETTINGS = ['endpoint', 'region', 'pathStyle'];

/** @throws StorageError */
function locate(text: string): S3Location {
  const [place = '', query = ''] = text.split('?', 2);
  const settings = new URLSearchParams(query);
  const unknown = [...settings.keys()].find((name) => !SETTINGS.includes(name));
  // What is in the URL is shown in lists of processes: keys don't belong there.
  if (unknown !== undefined || /^s3:\/\/[^/]*@/.test(place)) {
    throw new StorageError(
      `The blob store's address may have ${SETTINGS.join(', ')} after the "?"` +
        `${unknown === undefined ? '' : `, not "${unknown.slice(0, 50)}"`}; keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
      { field: 'blobs' },
    );
  }
  const endpoint = settings.get('endpoint');
  const region = settings.get('region');
  const pathStyle = settings.get('pathStyle');
  try {
    return new S3Location(place, {
      ...(endpoint !== null && { endpoint }),
      ...(region !== null && { region }),
      ...(pathStyle !== null && { pathStyle: pathStyle === 'true' }),
    });
  } catch (cause) {
    throw new StorageError(
      `The blob store's address is not usable: ${messageOf(cause)}`,
      { field: 'blobs' },
      { cause },
    );
  }
}

/** The system's errors over the spool file as ours; ours and the source's pass through. */
function spoolFailure(error: unknown, file: string): unknown {
  if (error instanceof TabgradError) return error;
  const what = `A blob cannot be spooled to ${file}`;
  if (isDiskFull(error))
    return new StorageFullError(`${what}: the disk has no room left.`, {}, { cause: error });
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error;
  return new StorageError(`${what}: ${messageOf(error)}`, {}, { cause: error });
}
