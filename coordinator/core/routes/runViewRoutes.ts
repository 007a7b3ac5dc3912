// What the page of a run shows, over HTTP: curves thinned to what a screen can show, what happened between the rounds, what
// was asked for, and the model as far as it has come.

import { once } from 'node:events';
import { z } from 'zod';
import { DEFAULT_CURVE_POINTS, MAX_CURVE_POINTS, MIN_CURVE_POINTS } from '../../../shared/api/runHistory.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import type { ConfigAnswer, LayersAnswer, NetAnswer } from '../../../shared/api/runModel.ts';
import { netInputs } from '../../../shared/neural/model/netInputs.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import { readStepProfile, type StepProfile } from '../../../shared/neural/run/stepProfile.ts';
import type { Exchange } from '../../http/exchange.ts';
import { BadRequestError } from '../../http/httpErrors.ts';
import type { BlobStore } from '../blobs/blobStore.ts';
import type { Route, RouteCall } from '../http/route.ts';
import { describeRequest } from '../run/describeRequest.ts';
import { netLayers } from '../run/netLayers.ts';
import { RecordedTrees } from '../run/recordedTrees.ts';
import type { AskedRun, RunArchive } from '../run/runArchive.ts';
import { RunCurves } from '../run/runCurves.ts';
import { RunModelUnavailableError, RunUnknownError } from '../run/runErrors.ts';
import type { RunRegistry } from '../run/runRegistry.ts';
import { readTimeline } from '../run/runTimeline.ts';

/** A profile that is larger is not read: what a step does fits into much less. */
const MAX_PROFILE_BYTES = 16 * 1024 * 1024;

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
const curvesQuery = z.strictObject({
  points: z.array(wholeNumber(MIN_CURVE_POINTS, MAX_CURVE_POINTS)).max(1).default([DEFAULT_CURVE_POINTS]),
  metric: z.array(z.string().max(200)).max(64).default([]),
});
const modelQuery = z.strictObject({ rounds: z.array(wholeNumber(1, 1e9)).length(1).exactOptional() });
const noQuery = z.strictObject({});

type Blobs = Pick<BlobStore, 'read' | 'sizeBytes'>;

export function runViewRoutes(runs: Pick<RunRegistry, 'find'>, archive: RunArchive, blobs: Blobs): Route[] {
  const curves = new RunCurves(archive);
  const route = (
    path: string,
    handle: (exchange: Exchange, call: RouteCall, runId: string) => Promise<void>,
  ): Route => ({
    method: 'GET',
    path: `/api/v1/runs/:runId/${path}`,
    access: 'admin',
    traffic: 'api',
    handle: (exchange, call) => handle(exchange, call, call.params['runId'] ?? ''),
  });
  const trees = async (runId: string): Promise<RecordedTrees> => {
    const { request } = await askedOf(archive, runId);
    return new RecordedTrees({ archive, runId, request, recorded: await archive.recordedRounds(runId) });
  };
  return [
    route('curves', async (exchange, _call, runId) => {
      const {
        points: [points = DEFAULT_CURVE_POINTS],
        metric,
      } = query(curvesQuery, exchange);
      await runs.find(runId);
      exchange.json(200, await curves.read(runId, { points, metrics: metric }));
    }),
    route('timeline', async (exchange, _call, runId) => {
      query(noQuery, exchange);
      await runs.find(runId);
      exchange.json(200, await readTimeline(archive, runId));
    }),
    route('config', async (exchange, _call, runId) => {
      query(noQuery, exchange);
      exchange.json(200, await configOf(archive, runId));
    }),
    route('layers', async (exchange, _call, runId) => {
      query(noQuery, exchange);
      exchange.json(200, await layersOf(archive, blobs, runId));
    }),
    route('net', async (exchange, _call, runId) => {
      query(noQuery, exchange);
      exchange.json(200, netOf(await askedOf(archive, runId), runId));
    }),
    route('importance', async (exchange, _call, runId) => {
      query(noQuery, exchange);
      exchange.json(200, await (await trees(runId)).importance());
    }),
    route('trees/:tree', async (exchange, { params }, runId) => {
      query(noQuery, exchange);
      const tree = Number(params['tree']);
      if (!/^\d{1,9}$/.test(params['tree'] ?? ''))
        throw new BadRequestError('A tree is named by its number, counted from 0');
      exchange.json(200, await (await trees(runId)).tree(tree));
    }),
    route('model.json', async (exchange, _call, runId) => {
      const [rounds] = query(modelQuery, exchange).rounds ?? [];
      await sendPieces(exchange, (await trees(runId)).modelFile(rounds));
    }),
  ];
}

/** @throws RunUnknownError */
async function askedOf(archive: RunArchive, runId: string): Promise<AskedRun> {
  const asked = await archive.asked(runId);
  if (!asked) throw new RunUnknownError(`There is no run "${runId.slice(0, 128)}"`);
  return asked;
}

/** @throws BadRequestError naming the parameter that is not known, or its value. */
function query<T>(schema: z.ZodType<T>, { search }: Exchange): T {
  const parameters = new URLSearchParams(search);
  const values = Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name)]));
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = String(issue?.path[0] ?? '');
  throw new BadRequestError(
    `${field === '' ? 'The query' : `?${field}`}: ${issue?.message ?? 'unknown form'}`,
    {
      field,
    },
  );
}

async function configOf(archive: RunArchive, runId: string): Promise<ConfigAnswer> {
  const { request, startedAtMs, endedAtMs } = await askedOf(archive, runId);
  const saved = (await archive.lastEvent(runId, 'checkpoint'))?.event;
  const { trainer } = request.spec;
  return {
    trainer,
    startedAtMs,
    ...(endedAtMs !== undefined && { endedAtMs }),
    config: describeRequest(request),
    hasModel: request.modelParts !== undefined,
    ...(saved?.type === 'checkpoint' && {
      state: { rounds: saved.rounds, sha256: saved.sha256, sizeBytes: saved.sizeBytes },
    }),
  };
}

function netSpec({ request: { spec } }: AskedRun, runId: string): NeuralSpec {
  if (spec.trainer === 'neural') return spec;
  throw new RunModelUnavailableError(`Run "${runId}" trains no net (its trainer is "${spec.trainer}").`);
}

async function layersOf(archive: RunArchive, blobs: Blobs, runId: string): Promise<LayersAnswer> {
  const spec = netSpec(await askedOf(archive, runId), runId);
  const profiled = (await archive.lastEvent(runId, 'profiled'))?.event;
  const profile = profiled?.type === 'profiled' ? await profileOf(blobs, profiled.sha256) : undefined;
  return netLayers(spec, profile);
}

/** Profiles go with other blobs that are not needed any more, and a worker wrote them: without one there are no times. */
async function profileOf(blobs: Blobs, sha256: string): Promise<StepProfile | undefined> {
  const sizeBytes = await blobs.sizeBytes(sha256);
  if (sizeBytes === undefined || sizeBytes > MAX_PROFILE_BYTES) return undefined;
  try {
    return readStepProfile(await blobs.read(sha256));
  } catch {
    return undefined;
  }
}

function netOf(asked: AskedRun, runId: string): NetAnswer {
  const { topology } = netSpec(asked, runId);
  const { modelParts } = asked.request;
  const inputs = netInputs.safeParse(modelParts);
  const own = (modelParts as { topology?: unknown } | undefined)?.topology;
  return { topology: own ?? topology, ...(inputs.success && { inputs: inputs.data.inputs }) };
}

/** Long texts leave as they are made, as quickly as they are taken. */
async function sendPieces(exchange: Exchange, pieces: AsyncGenerator<string>): Promise<void> {
  const { response, signal } = exchange;
  // What is wrong is found out before the answer begins.
  let { value, done } = await pieces.next();
  exchange.begin(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  try {
    for (; done !== true; { value, done } = await pieces.next()) {
      if (!response.write(visibleText(value))) await once(response, 'drain', { signal });
    }
    response.end('\n');
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
