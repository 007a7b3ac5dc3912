// Fetches blobs from the coordinator by their SHA-256 and believes none of them unverified, the cache's included.

import { AbortedError, TabgradError } from '../../kernels/errors.ts';
import type { Clock } from '../../shared/clock.ts';
import { workerAuthorization, type WorkerCredentials } from '../../shared/protocol/workerCredentials.ts';
import type { FetchBlobOptions } from '../memberRun/sessionEnvironment.ts';
import type { BlobCache } from './blobCache.ts';
import { BlobRetries, isAwayError, isAwayStatus } from './blobRetries.ts';
import { sha256Hex } from './sha256Hex.ts';

/** A blob could not be had: the coordinator has none of that name, or sent other bytes, or could not be reached. */
export class BlobFetchError extends TabgradError {
  readonly code = 'BLOB_UNAVAILABLE';
}

/** A blob could not be stored at the coordinator. */
export class BlobUploadError extends TabgradError {
  readonly code = 'BLOB_NOT_STORED';
}

export interface BlobFetcherOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly origin: string;
  readonly cache: BlobCache;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch?: typeof fetch;
  /** Told of bytes as they come. */
  readonly onBytes?: (count: number) => void;
}

interface FetchOptions extends FetchBlobOptions {
  /** Whose end this is; undefined where the coordinator asks for no proof. */
  readonly credentials?: WorkerCredentials | undefined;
}

export type FetchBlob = (sha256: string, options: FetchOptions) => Promise<Uint8Array>;

/** Largest blob that is taken when the caller names no size: run specs and trees, not shards. */
const MAX_UNANNOUNCED_BYTES = 256 * 1024 * 1024;
/** A transfer without any progress for this long is given up and tried again. */
const STALL_MS = 30_000;

/** A failure that trying again won't mend. */
class Hopeless extends BlobFetchError {}
/** The coordinator may hold a blob that lost bytes: it is asked to look. */
class OtherBytes extends BlobFetchError {}

/** The coordinator is not there, or not as it was. */
class Away extends BlobFetchError {}

/** @returns a function that rejects with BlobFetchError (after retries) or AbortedError. */
export function createBlobFetcher(options: BlobFetcherOptions): FetchBlob {
  return async (sha256, fetchOptions) => {
    const { signal } = fetchOptions;
    const cached = await options.cache.get(sha256);
    if (cached && (await sha256Hex(cached)) === sha256) return cached;
    const retries = new BlobRetries(options);
    let last: unknown;
    do {
      if (signal.aborted) throw new AbortedError(`Fetching blob ${sha256} was withdrawn.`);
      try {
        const bytes = await download(options, sha256, fetchOptions, last instanceof OtherBytes);
        await options.cache.put(sha256, bytes);
        return bytes;
      } catch (error) {
        if (error instanceof Hopeless) throw error;
        last = error;
      }
    } while (await retries.waitForNext(last instanceof Away || isAwayError(last), signal));
    if (signal.aborted) throw new AbortedError(`Fetching blob ${sha256} was withdrawn.`);
    throw new BlobFetchError(
      `Blob ${sha256} could not be fetched in ${retries.attempts} attempts: ${String(last)}`,
      {},
      { cause: last },
    );
  };
}

async function download(
  options: BlobFetcherOptions,
  sha256: string,
  { sizeBytes, signal, credentials }: FetchOptions,
  isDoubted: boolean,
): Promise<Uint8Array> {
  const stall = new AbortController();
  let cancelStall = options.clock.after(STALL_MS, () => stall.abort());
  try {
    const response = await (options.fetch ?? fetch)(`${options.origin}/blobs/${sha256}`, {
      signal: AbortSignal.any([signal, stall.signal]),
      // Kept by `cache`, or not at all: a second copy in the browser's HTTP cache is of no use.
      cache: 'no-store',
      headers: {
        ...(credentials && { authorization: workerAuthorization(credentials) }),
        ...(isDoubted && { 'want-repr-digest': 'sha-256=10' }),
      },
      // A coordinator sends no worker to other addresses.
      redirect: 'manual',
    });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      const message = `The coordinator answered ${answerOf(response)} for blob ${sha256}.`;
      // A coordinator that was restarted knows its workers again once they have come back.
      if (isAwayStatus(response.status)) throw new Away(message);
      throw response.status >= 500 || response.status === 429
        ? new BlobFetchError(message)
        : new Hopeless(message);
    }
    const limit = sizeBytes ?? MAX_UNANNOUNCED_BYTES;
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of readChunks(response.body)) {
      received += chunk.length;
      options.onBytes?.(chunk.length);
      if (received > limit) throw new Hopeless(`Blob ${sha256} is larger than the ${limit} bytes expected.`);
      chunks.push(chunk);
      cancelStall();
      cancelStall = options.clock.after(STALL_MS, () => stall.abort());
    }
    const bytes = concatenate(chunks, received);
    if (sizeBytes !== undefined && received !== sizeBytes) {
      throw new OtherBytes(`Blob ${sha256} ended after ${received} bytes, expected ${sizeBytes}.`);
    }
    const actual = await sha256Hex(bytes);
    if (actual !== sha256) throw new OtherBytes(`Blob ${sha256} arrived with other bytes (${actual}).`);
    return bytes;
  } finally {
    cancelStall();
  }
}

/** Browsers tell no more of a redirect than that there is one. */
export function answerOf({ type, status }: Response): string {
  const isRedirect = type === 'opaqueredirect' || (status >= 300 && status < 400);
  return isRedirect ? 'a redirect, which is not followed,' : String(status);
}

/** The body's chunks; a reader rather than for-await, which Safari's streams lack. */
async function* readChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

function concatenate(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
