// A coordinator that is up already, over its HTTP API: shards are uploaded, the run is submitted, its events followed.

import { createHash } from 'node:crypto';
import { asRunEvent, outcomeAnswer, parseEvent } from '../../remote/apiAnswers.ts';
import { askCoordinator, askForJson, type CoordinatorAddress } from '../../remote/askCoordinator.ts';
import { CoordinatorUnreachableError, RemoteError } from '../../remote/remoteErrors.ts';
import { readEvents } from '../../remote/serverSentEvents.ts';
import type { BlobReference } from '../../../shared/neural/run/neuralSpec.ts';
import type { RunEvent, RunHandle, RunOutcome, RunRequest } from '../../run/runRequest.ts';
import type { Cluster } from './cluster.ts';

export interface RemoteClusterOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** Authorities to trust besides the usual ones, in PEM. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** How long the coordinator may be out of reach before the run counts as failed here. Default two minutes. */
  readonly outageMs?: number;
  /** Waits before another attempt; tests replace it. */
  readonly pause?: (ms: number) => Promise<void>;
}

const OUTAGE_MS = 120_000;
const RETRY_MS = 1_000;
/** Shards and requests go up over slow lines. */
const SLOW_MS = 60_000;
/** The outcome holds every tree, and comes in one piece. */
const OUTCOME_MS = 600_000;

/** @throws CoordinatorUnreachableError, RemoteError when the coordinator does not answer or refuses the token. */
export async function openRemoteCluster(options: RemoteClusterOptions): Promise<Cluster> {
  const { url, signal } = options;
  const address: CoordinatorAddress = { url, signal, token: options.token, ca: options.ca };
  await askCoordinator(address, 'api/v1/runs');
  return {
    url,
    blobs: { putBytes: (bytes) => upload(address, bytes) },
    readBlob: (blob) => download(address, blob),
    async startRun(request) {
      // JSON leaves shouldStop out; the trainer stops the run itself.
      await askCoordinator(address, 'api/v1/runs', { method: 'POST', json: request, timeoutMs: SLOW_MS });
      return followRun(address, request, options);
    },
    close: () => Promise.resolve(),
  };
}

async function upload(
  address: CoordinatorAddress,
  bytes: Uint8Array,
): Promise<{ sha256: string; sizeBytes: number }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = `blobs/${sha256}`;
  // What lost bytes there is stored anew.
  const stored = await askCoordinator(address, path, {
    method: 'HEAD',
    headers: { 'want-repr-digest': 'sha-256=10' },
    accept: [404],
    timeoutMs: SLOW_MS,
  });
  if (!stored.ok) {
    await askCoordinator(address, path, {
      method: 'PUT',
      bytes: bytes as Uint8Array<ArrayBuffer>,
      timeoutMs: SLOW_MS,
    });
  }
  return { sha256, sizeBytes: bytes.byteLength };
}

async function download(
  address: CoordinatorAddress,
  { sha256, sizeBytes }: BlobReference,
): Promise<Uint8Array> {
  const { body } = await askCoordinator(address, `blobs/${sha256}`, { timeoutMs: SLOW_MS });
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    received += chunk.byteLength;
    if (received > sizeBytes) break;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === sha256) return bytes;
  throw new CoordinatorUnreachableError(
    `The coordinator at ${address.url} gave other bytes for blob ${sha256} (${received} of ${sizeBytes}).`,
  );
}

function followRun(
  address: CoordinatorAddress,
  { runId }: RunRequest,
  { outageMs = OUTAGE_MS, pause = wait }: RemoteClusterOptions,
): RunHandle {
  const listeners = new Set<(event: RunEvent) => void>();
  // The run is stopped through the API when its owner calls it off: following goes on until it has ended.
  const following: CoordinatorAddress = { ...address, signal: new AbortController().signal };
  const path = `api/v1/runs/${encodeURIComponent(runId)}`;
  const follow = async (): Promise<RunOutcome> => {
    let last = '0';
    for (let outage = 0; ; outage += RETRY_MS) {
      try {
        const headers = { 'last-event-id': last };
        const { body } = await askCoordinator(following, `${path}/events`, { headers });
        for await (const { id, data } of readEvents(body as unknown as AsyncIterable<Uint8Array>)) {
          outage = 0;
          const event = parseEvent(data);
          if (event?.type === 'end') {
            return await askForJson(following, `${path}/outcome`, outcomeAnswer, { timeoutMs: OUTCOME_MS });
          }
          // Passing events have no id.
          if (id !== '') last = id;
          if (!event) continue;
          for (const listener of listeners) listener(asRunEvent(event));
        }
      } catch (error) {
        // A coordinator that closes may come back, and go on with the run.
        if (error instanceof RemoteError && error.code !== 'COORDINATOR_CLOSED') throw error;
        if (outage >= outageMs) {
          throw new CoordinatorUnreachableError(
            `The coordinator at ${address.url} has been out of reach for ${Math.round(outageMs / 1000)} s; run ${runId} may go on there.`,
            {},
            { cause: error },
          );
        }
      }
      await pause(RETRY_MS);
    }
  };
  const done = follow();
  done.catch(() => undefined);
  return {
    runId,
    done,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop(reason) {
      const stopped = askCoordinator(following, `${path}/stop`, { method: 'POST', json: { reason } });
      // Out of reach: following reports that.
      stopped.catch(() => undefined);
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
