// Stores bytes at the coordinator under their SHA-256: states of neural nets, which outlive the group that trained them.

import { AbortedError } from '../../kernels/errors.ts';
import type { Clock } from '../../shared/clock.ts';
import { workerAuthorization, type WorkerCredentials } from '../../shared/protocol/workerCredentials.ts';
import type { BlobReference } from '../../shared/neural/run/neuralSpec.ts';
import { answerOf, BlobUploadError } from './blobFetcher.ts';
import { BlobRetries, isAwayError, isAwayStatus } from './blobRetries.ts';
import { sha256Hex } from './sha256Hex.ts';

export interface BlobUploaderOptions {
  /** Address of the coordinator, e.g. http://127.0.0.1:7070. */
  readonly origin: string;
  readonly credentials: WorkerCredentials;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch?: typeof fetch;
}

export type PutBlob = (bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal) => Promise<BlobReference>;

/** Large states go up over slow lines. */
const UPLOAD_MS = 600_000;

/** @returns a function that rejects with BlobUploadError (after retries) or AbortedError. */
export function createBlobUploader(options: BlobUploaderOptions): PutBlob {
  return async (bytes, signal) => {
    const sha256 = await sha256Hex(bytes);
    const retries = new BlobRetries(options);
    let last: string;
    let isAway: boolean;
    do {
      if (signal.aborted) throw new AbortedError(`Storing blob ${sha256} was withdrawn.`);
      try {
        const response = await upload(options, sha256, bytes, signal);
        if (response.ok) return { sha256, sizeBytes: bytes.length };
        last = `the coordinator answered ${answerOf(response)}`;
        // A coordinator that was restarted knows its workers again once they have come back; else nothing mends itself.
        isAway = isAwayStatus(response.status);
        if (response.status < 500 && response.status !== 429 && !isAway) break;
      } catch (error) {
        last = String(error);
        isAway = isAwayError(error);
      }
    } while (await retries.waitForNext(isAway, signal));
    if (signal.aborted) throw new AbortedError(`Storing blob ${sha256} was withdrawn.`);
    throw new BlobUploadError(`Blob ${sha256} of ${bytes.length} bytes could not be stored: ${last}`);
  };
}

async function upload(
  options: BlobUploaderOptions,
  sha256: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<Response> {
  const slow = new AbortController();
  const cancel = options.clock.after(UPLOAD_MS, () => slow.abort());
  try {
    const response = await (options.fetch ?? fetch)(`${options.origin}/blobs/${sha256}`, {
      method: 'PUT',
      body: bytes,
      // The secret is for this coordinator alone.
      redirect: 'manual',
      headers: { authorization: workerAuthorization(options.credentials) },
      signal: AbortSignal.any([signal, slow.signal]),
    });
    await response.body?.cancel();
    return response;
  } finally {
    cancel();
  }
}
