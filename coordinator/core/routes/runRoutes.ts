// Runs over HTTP, for owners in another process: submit, watch, stop, and fetch what came of it.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { runtimes } from '../../../shared/protocol/runtimes.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import type { RunSpec } from '../../../shared/run/runSpec.ts';
import { lease } from '../../../shared/protocol/control.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import { StorageFullError } from '../blobs/blobErrors.ts';
import type { BlobStore } from '../blobs/blobStore.ts';
import { runKindOf, trainerNames } from '../run/runKinds.ts';
import { RunRequestInvalidError } from '../run/runErrors.ts';
import type { RunEntry } from '../run/runEntry.ts';
import type { RunRegistry } from '../run/runRegistry.ts';
import type { RunRequest } from '../run/runRequest.ts';
import { answerJson, readJsonBody } from '../http/answers.ts';
import type { Exchange, Route } from '../http/route.ts';

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
  const entryOf = ({ params }: Exchange): Promise<RunEntry> => runs.find(params['runId'] ?? '');
  return [
    route('GET', '/api/v1/runs', ({ response }) =>
      answerJson(response, 200, { runs: runs.list().map((entry) => entry.summary()) }),
    ),
    route('POST', '/api/v1/runs', (exchange) => submit(runs, blobs, exchange)),
    route('GET', '/api/v1/runs/:runId', async (exchange) =>
      answerJson(exchange.response, 200, (await entryOf(exchange)).summary()),
    ),
    route('GET', '/api/v1/runs/:runId/outcome', async (exchange) =>
      answerOutcome(await entryOf(exchange), runs, exchange.response),
    ),
    route('GET', '/api/v1/runs/:runId/events', async (exchange) =>
      streamEvents(await entryOf(exchange), exchange),
    ),
    route('POST', '/api/v1/runs/:runId/stop', async (exchange) => {
      const entry = await entryOf(exchange);
      const { reason } = parse(stopRequest, await readJsonBody(exchange.request, MAX_STOP_BYTES));
      runs.stop(entry.runId, reason);
      answerJson(exchange.response, 202, entry.summary());
    }),
  ];
}

async function submit(runs: RunRegistry, blobs: BlobStore, { request, response }: Exchange): Promise<void> {
  const body = parse(runRequest, await readJsonBody(request, MAX_REQUEST_BYTES));
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
  answerJson(response, 201, entry.summary());
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
async function answerOutcome(entry: RunEntry, runs: RunRegistry, response: ServerResponse): Promise<void> {
  // Who follows may have read of the end before the run is told.
  if (entry.log.isOver) await entry.driver?.done.catch(() => undefined);
  const { status, error } = entry.summary();
  if (status === 'running') answerJson(response, 202, entry.summary());
  else if (error) answerJson(response, 409, { error });
  else answerJson(response, 200, { status, rounds: await runs.rounds(entry.runId) });
}

function pausedError(runId: string, cause: Error): StorageFullError {
  const words = `The run goes on when there is room: "tabgrad logs ${runId}" follows it then, "tabgrad stop ${runId}" ends it.`;
  return new StorageFullError(`${cause.message} ${words}`, {}, { cause });
}

/** Server-sent events, from the one after `Last-Event-ID` or from the first; ends with the run. */
async function streamEvents(entry: RunEntry, { request, response, signal }: Exchange): Promise<void> {
  const { failure } = entry.log;
  if (failure) throw entry.status === 'running' ? pausedError(entry.runId, failure) : failure;
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.flushHeaders();
  const last = Number(request.headers['last-event-id'] ?? 0);
  const heartbeat = setInterval(() => response.write(': still there\n\n'), HEARTBEAT_MS);
  try {
    for await (const { sequence, event } of entry.log.follow(Number.isSafeInteger(last) ? last : 0, signal)) {
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
