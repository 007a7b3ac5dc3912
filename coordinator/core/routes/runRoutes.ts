// Runs over HTTP, for owners in another process: submit, watch, stop, and fetch what came of it.

import { once } from 'node:events';
import { z } from 'zod';
import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { runtimes } from '../../../shared/protocol/runtimes.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import { readConfusionMatrix } from '../../../shared/neural/run/confusionMatrix.ts';
import type { RunSpec } from '../../../shared/run/runSpec.ts';
import { datasetSummaries } from '../../../shared/api/datasetAnswers.ts';
import { lease } from '../../../shared/protocol/control.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import { StorageFullError } from '../blobs/blobErrors.ts';
import type { BlobStore } from '../blobs/blobStore.ts';
import { runKindOf, trainerNames } from '../run/runKinds.ts';
import { RunRequestInvalidError } from '../run/runErrors.ts';
import type { RunEntry } from '../run/runEntry.ts';
import type { RunRegistry } from '../run/runRegistry.ts';
import type { RunRequest } from '../run/runRequest.ts';
import type { Exchange } from '../../http/exchange.ts';
import { readJson } from '../../http/readJson.ts';
import type { Route, RouteCall } from '../http/route.ts';

const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
const MAX_STOP_BYTES = 16 * 1024;
/** Proxies and our own idle limit close streams that say nothing. */
const HEARTBEAT_MS = 15_000;

/** The outer form; each kind of run reads its own spec. */
const runRequest = z.object({
  runId: z.string(),
  name: z.string().max(200),
  spec: z.looseObject({ trainer: z.enum(trainerNames) }),
  shards: z.array(lease).max(1_000_000),
  datasets: datasetSummaries.optional(),
  workers: z.object({
    min: z.number(),
    max: z.number(),
    runtimes: z.array(z.enum(runtimes)).min(1).max(3).optional(),
    device: z.enum(deviceKinds).optional(),
  }),
  maxFailures: z.number().default(0),
});
const stopRequest = z.object({ reason: z.string().min(1).max(500).default('stopped over the API') });

export function runRoutes(runs: RunRegistry, blobs: BlobStore): Route[] {
  const route = (method: Route['method'], path: string, handle: Route['handle']): Route => ({
    method,
    path,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  const entryOf = ({ params }: RouteCall): Promise<RunEntry> => runs.find(params['runId'] ?? '');
  return [
    route('GET', '/api/v1/runs', (exchange) =>
      exchange.json(200, { runs: runs.list().map((entry) => entry.summary()) }),
    ),
    route('POST', '/api/v1/runs', (exchange) => submit(runs, blobs, exchange)),
    route('GET', '/api/v1/runs/:runId', async (exchange, call) =>
      exchange.json(200, (await entryOf(call)).summary()),
    ),
    route('GET', '/api/v1/runs/:runId/outcome', async (exchange, call) =>
      answerOutcome(await entryOf(call), runs, exchange),
    ),
    route('GET', '/api/v1/runs/:runId/confusion', async (exchange, call) => {
      const last = await runs.lastRound((await entryOf(call)).runId);
      exchange.json(200, { confusion: readConfusionMatrix(last?.payload[0]) ?? null });
    }),
    route('GET', '/api/v1/runs/:runId/events', async (exchange, call) =>
      streamEvents(await entryOf(call), exchange),
    ),
    route('POST', '/api/v1/runs/:runId/stop', async (exchange, call) => {
      const entry = await entryOf(call);
      const { reason } = parse(stopRequest, await readJson(exchange, MAX_STOP_BYTES));
      runs.stop(entry.runId, reason);
      exchange.json(202, entry.summary());
    }),
  ];
}

async function submit(runs: RunRegistry, blobs: BlobStore, exchange: Exchange): Promise<void> {
  const body = parse(runRequest, await readJson(exchange, MAX_REQUEST_BYTES));
  const spec = readSpec(body.spec);
  for (const [i, shard] of body.shards.entries()) {
    const sizeBytes = await blobs.sizeBytes(shard.sha256);
    if (sizeBytes === shard.sizeBytes) continue;
    const stored =
      sizeBytes === undefined ? 'is not stored' : `has ${sizeBytes} bytes, not ${shard.sizeBytes}`;
    throw new RunRequestInvalidError(`shards.${i}: blob ${shard.sha256} ${stored}; upload it first`, {
      field: `shards.${i}.sha256`,
    });
  }
  const entry = await runs.submit({ ...body, spec } as RunRequest);
  exchange.json(201, entry.summary());
}

/** @throws RunRequestInvalidError naming the field. */
function readSpec(spec: z.output<typeof runRequest>['spec']): RunSpec {
  try {
    return runKindOf(spec).readSpec(spec);
  } catch (error) {
    if (!(error instanceof TabgradError)) throw error;
    const { field = '' } = error.place;
    const place = field === '' ? 'spec' : `spec.${field}`;
    throw new RunRequestInvalidError(`${place}: ${error.message}`, { field: place });
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new RunRequestInvalidError(
    `${field === '' ? 'The request' : field}: ${issue?.message ?? 'unknown form'}`,
    { field },
  );
}

/** 200 with the rounds and their trees, 202 while the run goes on, and the run's error under its own status. */
async function answerOutcome(entry: RunEntry, runs: RunRegistry, exchange: Exchange): Promise<void> {
  // Who follows may have read of the end before the run is told.
  if (entry.log.isOver) await entry.driver?.done.catch(() => undefined);
  const { status, error } = entry.summary();
  if (status === 'running') exchange.json(202, entry.summary());
  else if (error) exchange.json(409, { error });
  else exchange.json(200, { status, rounds: await runs.rounds(entry.runId) });
}

function pausedError(runId: string, cause: Error): StorageFullError {
  const words = `The run goes on when there is room: "tabgrad logs ${runId} --follow" follows it then, "tabgrad stop ${runId}" ends it.`;
  return new StorageFullError(`${cause.message} ${words}`, {}, { cause });
}

/**
 * Server-sent events, from the one after `Last-Event-ID` or from the first; ends with the run. With `?follow=false` it ends
 * with what is kept by now.
 */
async function streamEvents(entry: RunEntry, exchange: Exchange): Promise<void> {
  const { request, response, signal } = exchange;
  const { failure } = entry.log;
  if (failure) throw entry.status === 'running' ? pausedError(entry.runId, failure) : failure;
  const goesOn = readFollow(exchange.search);
  exchange.begin(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
  response.flushHeaders();
  const last = Number(request.headers['last-event-id'] ?? 0);
  const after = Number.isSafeInteger(last) ? last : 0;
  const heartbeat = setInterval(() => response.write(': still there\n\n'), HEARTBEAT_MS);
  try {
    for await (const { sequence, event } of entry.log.follow(after, signal, goesOn)) {
      const id = sequence === undefined ? '' : `id: ${sequence}\n`;
      const taken = response.write(
        `${id}event: ${event.type}\ndata: ${visibleText(JSON.stringify(event))}\n\n`,
      );
      // A watcher that takes nothing is cut off by the server's idle limit; it can ask from where it was.
      if (!taken) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
  }
  response.end();
}

/** @throws RunRequestInvalidError */
function readFollow(search: string): boolean {
  const follow = new URLSearchParams(search).get('follow') ?? 'true';
  if (follow === 'true' || follow === 'false') return follow === 'true';
  throw new RunRequestInvalidError(`follow is "${follow.slice(0, 40)}"; expected true or false`, {
    field: 'follow',
  });
}
