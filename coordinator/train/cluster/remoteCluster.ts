// A coordinator that is up already, over its HTTP API: shards are uploaded, the run is submitted, its events followed.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ReportedEvent } from '../../run/runRecord.ts';
import type { RunEvent, RunHandle, RunOutcome, RunRequest } from '../../run/runRequest.ts';
import type { Cluster } from './cluster.ts';
import { askCoordinator, ClusterUnreachableError, RemoteError, type ApiAddress } from './coordinatorApi.ts';
import { readEvents } from './serverSentEvents.ts';

export interface RemoteClusterOptions {
  readonly url: string;
  readonly token?: string | undefined;
  readonly signal: AbortSignal;
  /** How long the coordinator may be out of reach before the run counts as failed here. Default two minutes. */
  readonly outageMs?: number;
  /** Waits before another attempt; tests replace it. */
  readonly pause?: (ms: number) => Promise<void>;
}

const OUTAGE_MS = 120_000;
const RETRY_MS = 1_000;

const outcomeForm = z.object({
  status: z.enum(['finished', 'stopped']),
  rounds: z.array(
    z.object({
      round: z.number().int().nonnegative(),
      trees: z.array(z.unknown()),
      metrics: z.record(z.string(), z.number()),
    }),
  ),
});

/** @throws ClusterUnreachableError, RemoteError when the coordinator does not answer or refuses the token. */
export async function openRemoteCluster(options: RemoteClusterOptions): Promise<Cluster> {
  const { url, signal } = options;
  const address: ApiAddress = { url, signal, token: options.token };
  await askCoordinator(address, 'api/v1/runs', { timeoutMs: 10_000 });
  return {
    url,
    blobs: { putBytes: (bytes) => upload(address, bytes) },
    async startRun(request) {
      // JSON leaves shouldStop out; the trainer stops the run itself.
      await askCoordinator(address, 'api/v1/runs', { method: 'POST', json: request });
      return followRun(address, request, options);
    },
    close: () => Promise.resolve(),
  };
}

async function upload(
  address: ApiAddress,
  bytes: Uint8Array,
): Promise<{ sha256: string; sizeBytes: number }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = `blobs/${sha256}`;
  const stored = await askCoordinator(address, path, { method: 'HEAD', accept: [404] });
  if (!stored.ok) {
    await askCoordinator(address, path, { method: 'PUT', bytes: bytes as Uint8Array<ArrayBuffer> });
  }
  return { sha256, sizeBytes: bytes.byteLength };
}

function followRun(
  address: ApiAddress,
  { runId }: RunRequest,
  { outageMs = OUTAGE_MS, pause = wait }: RemoteClusterOptions,
): RunHandle {
  const listeners = new Set<(event: RunEvent) => void>();
  // The run is stopped through the API when its owner calls it off: following goes on until it has ended.
  const following: ApiAddress = { ...address, signal: new AbortController().signal };
  const path = `api/v1/runs/${encodeURIComponent(runId)}`;
  const follow = async (): Promise<RunOutcome> => {
    let last = '0';
    for (let outage = 0; ; outage += RETRY_MS) {
      try {
        const headers = { 'last-event-id': last };
        const { body } = await askCoordinator(following, `${path}/events`, { headers });
        for await (const { id, data } of readEvents(body as unknown as AsyncIterable<Uint8Array>)) {
          outage = 0;
          const event = JSON.parse(data) as ReportedEvent;
          if (event.type === 'end') return await outcomeOf(following, path);
          // Passing events have no id.
          if (id !== '') last = id;
          for (const listener of listeners) listener(asRunEvent(event));
        }
      } catch (error) {
        // A coordinator that closes may come back, and go on with the run.
        if (error instanceof RemoteError && error.code !== 'COORDINATOR_CLOSED') throw error;
        if (outage >= outageMs) {
          throw new ClusterUnreachableError(
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

/** Rounds come without their trees; those are in the outcome. */
function asRunEvent(event: Exclude<ReportedEvent, { type: 'end' }>): RunEvent {
  if (event.type !== 'round') return event;
  const { round, metrics, timings } = event;
  return { type: 'round', committed: { round, metrics, trees: [] }, timings };
}

async function outcomeOf(address: ApiAddress, path: string): Promise<RunOutcome> {
  const response = await askCoordinator(address, `${path}/outcome`);
  return outcomeForm.parse(await response.json());
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
