// A coordinator that is up already, over its HTTP API: shards are uploaded, the run is submitted, its events followed.

import { createHash } from 'node:crypto';
import { experimentWishes } from '../../shared/api/experiment.ts';
import { asRunEvent } from './remote/asRunEvent.ts';
import { outcomeAnswer, runSummary } from '../../shared/api/runAnswers.ts';
import { askCoordinator, askForJson, type CoordinatorAddress } from './remote/askCoordinator.ts';
import { followEvents } from './remote/followEvents.ts';
import { Outage, OUTAGE_MS, type Patience } from './remote/outage.ts';
import { CoordinatorUnreachableError, RemoteError } from './remote/remoteErrors.ts';
import { remoteCheckResults } from './remote/remoteCheckResults.ts';
import { RemoteSlots } from './remote/remoteSlots.ts';
import { messageOf } from '../../shared/text/messageOf.ts';
import type { BlobReference } from '../../shared/neural/run/neuralSpec.ts';
import type { RunEvent, RunHandle, RunOutcome, RunRequest } from '../core/run/runRequest.ts';
import type { Cluster } from './cluster.ts';
import type { ExperimentRecord } from '../core/store/experimentRecord.ts';

export interface RemoteClusterOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** Authorities to trust besides the usual ones, in PEM. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** How long the coordinator may be out of reach once it has answered. Default two minutes. */
  readonly outageMs?: number;
  /** How long it may be out of reach at first; default 0, since its address may be wrong. */
  readonly firstContactMs?: number;
  /** Waits before another attempt; tests replace it. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Shards and requests go up over slow lines. */
const SLOW_MS = 60_000;
/** The outcome holds every tree, and comes in one piece. */
const OUTCOME_MS = 600_000;

/** @throws CoordinatorUnreachableError, RemoteError when the coordinator does not answer or refuses the token. */
export async function openRemoteCluster(options: RemoteClusterOptions): Promise<Cluster> {
  const { url, signal } = options;
  const address: CoordinatorAddress = { url, signal, token: options.token, ca: options.ca };
  const pause = options.pause && { pause: options.pause };
  const patience: Patience = { outageMs: options.outageMs ?? OUTAGE_MS, ...pause };
  await askCoordinator(address, 'api/v1/runs', {
    patience: { outageMs: options.firstContactMs ?? 0, ...pause },
  });
  return {
    url,
    blobs: { putBytes: (bytes) => upload(address, bytes, patience) },
    readBlob: (blob) => download(address, blob, patience),
    async startRun(request) {
      await submit(address, request, patience);
      return followRun(address, request.runId, patience);
    },
    async findRun(runId) {
      await askForJson(address, runPath(runId), runSummary, { patience });
      return { follow: () => followRun(address, runId, patience) };
    },
    slots: new RemoteSlots(address),
    checkResults: remoteCheckResults(address, patience),
    experiments: remoteRecord(address),
    ensureWorkers: () => undefined,
    ready: () => Promise.resolve(),
    freeWorkers: () => undefined,
    lost: new Promise<never>(() => undefined),
    close: () => Promise.resolve(),
  };
}

/** The coordinator may have taken the run, and gone before it said so: then it has it already. */
async function submit(address: CoordinatorAddress, request: RunRequest, patience: Patience): Promise<void> {
  const outage = new Outage(address.url, patience, address.signal);
  for (let isFirst = true; ; isFirst = false) {
    try {
      // JSON leaves shouldStop out; the trainer stops the run itself.
      await askCoordinator(address, 'api/v1/runs', { method: 'POST', json: request, timeoutMs: SLOW_MS });
      return;
    } catch (error) {
      if (!isFirst && error instanceof RemoteError && error.code === 'RUN_EXISTS') return;
      await outage.wait(error, `run ${request.runId} was not started`);
    }
  }
}

async function upload(
  address: CoordinatorAddress,
  bytes: Uint8Array,
  patience: Patience,
): Promise<{ sha256: string; sizeBytes: number }> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = `blobs/${sha256}`;
  const common = { timeoutMs: SLOW_MS, patience };
  // What lost bytes there is stored anew.
  const headers = { 'want-repr-digest': 'sha-256=10' };
  const stored = await askCoordinator(address, path, { method: 'HEAD', headers, accept: [404], ...common });
  if (!stored.ok) {
    await askCoordinator(address, path, {
      method: 'PUT',
      bytes: bytes as Uint8Array<ArrayBuffer>,
      ...common,
    });
  }
  return { sha256, sizeBytes: bytes.byteLength };
}

async function download(
  address: CoordinatorAddress,
  blob: BlobReference,
  patience: Patience,
): Promise<Uint8Array> {
  const outage = new Outage(address.url, patience, address.signal);
  for (;;) {
    try {
      return await receive(address, blob);
    } catch (error) {
      await outage.wait(error, `blob ${blob.sha256} was not fetched`);
    }
  }
}

/** @throws CoordinatorUnreachableError also where the connection is lost in the middle. */
async function receive(
  address: CoordinatorAddress,
  { sha256, sizeBytes }: BlobReference,
): Promise<Uint8Array> {
  const { body } = await askCoordinator(address, `blobs/${sha256}`, { timeoutMs: SLOW_MS });
  const chunks: Uint8Array[] = [];
  let received = 0;
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      received += chunk.byteLength;
      if (received > sizeBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    if (address.signal.aborted) throw cause;
    throw new CoordinatorUnreachableError(
      `The coordinator at ${address.url} was lost at byte ${received} of ${sizeBytes} of blob ${sha256}: ${messageOf(cause)}.`,
      true,
      { cause },
    );
  }
  const bytes = Buffer.concat(chunks);
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === sha256) return bytes;
  throw new CoordinatorUnreachableError(
    `The coordinator at ${address.url} gave other bytes for blob ${sha256} (${received} of ${sizeBytes}).`,
    received < sizeBytes,
  );
}

const runPath = (runId: string): string => `api/v1/runs/${encodeURIComponent(runId)}`;

function followRun(address: CoordinatorAddress, runId: string, patience: Patience): RunHandle {
  const listeners = new Set<(event: RunEvent) => void>();
  let hasEnded = false;
  // The run is stopped through the API when its owner calls it off: following goes on until it has ended.
  const following: CoordinatorAddress = { ...address, signal: new AbortController().signal };
  const path = runPath(runId);
  const follow = async (): Promise<RunOutcome> => {
    for await (const event of followEvents(runId, following, patience)) {
      if (event.type === 'end') {
        hasEnded = true;
        break;
      }
      for (const listener of listeners) listener(asRunEvent(event));
    }
    return askForJson(following, `${path}/outcome`, outcomeAnswer, { timeoutMs: OUTCOME_MS, patience });
  };
  const done = follow();
  done.catch(() => undefined);
  return {
    runId,
    done,
    mayGoOn: () => !hasEnded,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop(reason) {
      const stopped = askCoordinator(following, `${path}/stop`, {
        method: 'POST',
        json: { reason },
        patience,
      });
      // Out of reach: following reports that.
      stopped.catch(() => undefined);
    },
  };
}

export function remoteRecord(address: CoordinatorAddress): ExperimentRecord {
  return {
    save(experimentId, update) {
      const path = `api/v1/experiments/${experimentId}`;
      return askForJson(address, path, experimentWishes, { method: 'PUT', json: update });
    },
  };
}
