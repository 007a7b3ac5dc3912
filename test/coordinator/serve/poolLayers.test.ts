// tf.LayersModels on real workers of the pool. The oracle is tfjs's own predict, and replicas in threads.

import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { PoolWorker } from '../../../coordinator/core/pool/poolWorker.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { repeated } from '../../setup/longRun.ts';
import { makeLayersModels, type LayersModels } from './layersModels.ts';

let models: LayersModels;
let coordinator: Coordinator;
let serve: Serve;
const startedWorkers: LocalWorkers[] = [];
const logged: string[] = [];
beforeAll(async () => {
  models = await makeLayersModels();
  coordinator = await startCoordinator({ port: 0, graceMs: 500 });
  const lend = async (runtime: ('browser' | 'node' | 'deno')[], device: 'cpu' | 'webgpu'): Promise<void> => {
    const { url, tokens } = coordinator;
    // The predictors are tabgrad's own: workers that run no code of owners run them.
    startedWorkers.push(
      await startLocalWorkers({
        url,
        token: tokens.local,
        count: runtime.length,
        runtime,
        device,
        allowCode: false,
      }),
    );
  };
  await lend(['browser', 'browser', 'node', 'deno'], 'cpu');
  await lend(['browser', 'node', 'deno'], 'webgpu');
  while (coordinator.pool.workers().filter(({ peerId }) => peerId !== undefined).length < 7) await turn();
});
beforeEach(() => {
  serve = new Serve({ coordinator, log: ({ message }) => void logged.push(message) });
});
afterEach(() => serve.shutdown());
afterAll(async () => {
  await Promise.all(startedWorkers.map((localWorkers) => localWorkers.stop()));
  await coordinator.close();
  models.remove();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const points = (count: number): number[][] =>
  Array.from({ length: count }, (_, i) => [0, 1, 2, 3].map((j) => ((i * 7 + j * 3) % 11) / 4 - 1));

function chances(rows: readonly number[][]): number[][] {
  return tf.tidy(() =>
    (models.dense.model.predict(tf.tensor2d(rows as number[][])) as tf.Tensor2D).arraySync(),
  );
}

const examples = Array.from({ length: 5 }, (_, n) => ({
  image: Array.from({ length: 6 }, (_, y) => Array.from({ length: 6 }, (_, x) => [((x + 1) * (y + n)) % 5])),
  words: [n, 9 - n],
}));
const columns = { image: examples.map(({ image }) => image), words: examples.map(({ words }) => words) };

async function post(place: string, body: string | Uint8Array, headers = {}): Promise<Response> {
  return fetch(serve.url + place, { method: 'POST', body: body as BodyInit, headers });
}

async function predicted(place: string, body: unknown): Promise<unknown> {
  const response = await post(place, JSON.stringify(body));
  return response.json();
}

/** The two tensors of the examples as bytes after their JSON, and the answer's bytes. */
async function inferredBytes(place: string): Promise<Float32Array> {
  const words = Int32Array.from(columns.words.flat());
  const image = Float32Array.from(columns.image.flat(4));
  const tensor = (name: string, datatype: string, shape: number[], bytes: number): object => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: bytes },
  });
  const inputs = [
    tensor('words', 'INT32', [5, 2], words.byteLength),
    tensor('image', 'FP32', [5, 6, 6, 1], image.byteLength),
  ];
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const body = Buffer.concat([head, Buffer.from(words.buffer), Buffer.from(image.buffer)]);
  const response = await post(place, body, { 'Inference-Header-Content-Length': String(head.byteLength) });
  expect(response.status).toBe(200);
  const bytes = await response.arrayBuffer();
  return new Float32Array(bytes.slice(Number(response.headers.get('inference-header-content-length'))));
}

/** All numbers of a JSON value, in order. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** Equal names and nesting, and numbers that differ by the rounding of float32. */
function expectClose(found: unknown, expected: unknown): void {
  const shape = (value: unknown): string => JSON.stringify(value, (_, v) => (typeof v === 'number' ? 0 : v));
  expect(shape(found)).toBe(shape(expected));
  const numbers = numbersIn(expected);
  const worst = numbersIn(found).map((number, at) => Math.abs(number - numbers[at]!));
  expect(Math.max(0, ...worst)).toBeLessThan(1e-6 * Math.max(1, ...numbers.map(Math.abs)));
}

const kinds = (['cpu', 'webgpu'] as const).flatMap((device) =>
  (['browser', 'node', 'deno'] as const).map((runtime) => ({ runtime, device })),
);

describe.each(kinds)('a tf.LayersModel on a $runtime worker with device $device', (kind) => {
  const options = { runOn: 'pool', ...kind, healthCheckPeriodS: 0.1 } as const;

  it('answers as the replica in a thread does: rows, records, one record, columns and handles', async () => {
    const handle = await serve.run(deployment(models.dense.checkpoint, options), { name: 'pool', port: 0 });
    await serve.run(deployment(models.dense.checkpoint), { name: 'thread', routePrefix: '/thread' });
    const name = 'dense_Dense1_input';
    const rows = points(65);
    const records = rows.map((row) => ({ [name]: row }));
    for (const body of [[], rows, records, records[3], rows[4], { [name]: rows }])
      expectClose(await predicted('/', body), await predicted('/thread', body));
    expectClose(
      await predicted('/', rows),
      chances(rows).map((predictions) => ({ predictions })),
    );
    expectClose(
      await handle.remote(rows),
      chances(rows).map((predictions) => ({ predictions })),
    );
    const { restarts, replicas } = serve.status().applications['pool']!.deployments[0]!;
    expect([restarts, replicas.running]).toEqual([0, 1]);
  });

  it('takes several inputs, by the inference protocol in JSON and binary too, and is described', async () => {
    await serve.run(deployment(models.branched.checkpoint, options), { name: 'pool', port: 0 });
    await serve.run(deployment(models.branched.checkpoint), { name: 'thread', routePrefix: '/thread' });
    for (const body of [examples, columns, examples[2]])
      expectClose(await predicted('/', body), await predicted('/thread', body));
    const inputs = [
      { name: 'words', datatype: 'INT64', shape: [5, 2], data: columns.words },
      { name: 'image', datatype: 'FP32', shape: [5, 6, 6, 1], data: columns.image.flat(4) },
    ];
    expectClose(
      await predicted('/v2/models/pool/infer', { inputs }),
      Object.assign((await predicted('/v2/models/thread/infer', { inputs })) as object, {
        model_name: 'pool',
      }),
    );
    expectClose(
      [...(await inferredBytes('/v2/models/pool/infer'))],
      [...(await inferredBytes('/v2/models/thread/infer'))],
    );
    const about = async (what: string): Promise<unknown> => (await fetch(serve.url + what)).json();
    const { name: _, ...described } = (await about('/v2/models/pool')) as Record<string, unknown>;
    expect(await about('/v2/models/thread')).toMatchObject(described);
    const api = (await about('/openapi.json')) as { paths: Record<string, { post: { summary: string } }> };
    expect(api.paths['/']!.post.summary).toMatch(/a tf\.LayersModel of 9 layers and \d+ parameters/);
  });
});

/** A folder of its own with the dense model, changed. */
function copied(name: string, change: (place: string) => void): Checkpoint {
  const place = path.join(models.folder, name);
  cpSync(models.dense.checkpoint.path, place, { recursive: true });
  change(place);
  return new Checkpoint(place);
}

describe.each(['browser', 'node', 'deno'] as const)('a %s worker with WebGPU', (runtime) => {
  it('outlives nets that are ended while they compute', async () => {
    const isIt = (worker: PoolWorker): boolean =>
      worker.runtime === runtime && worker.device.kind === 'webgpu' && worker.present;
    const before = coordinator.pool.workers().filter(isIt);
    expect(before).toHaveLength(1);
    const options = { runOn: 'pool', runtime, device: 'webgpu', gracefulShutdownTimeoutS: 0 } as const;
    for (let round = 0; round < repeated(5, 2); round++) {
      await serve.run(deployment(models.branched.checkpoint, options), { name: 'pool', port: 0 });
      await predicted('/', examples);
      const inHand = Array.from({ length: 5 }, () => post('/', JSON.stringify(examples)));
      await Promise.race(inHand);
      const more = Array.from({ length: 5 }, () => post('/', JSON.stringify(examples)));
      await serve.delete('pool');
      await Promise.all([...inHand, ...more]);
    }
    await serve.run(deployment(models.branched.checkpoint, options), { name: 'pool', port: 0 });
    expect(((await predicted('/', examples)) as unknown[]).length).toBe(5);
    expect(coordinator.pool.workers().filter(isIt)[0]!.workerId).toBe(before[0]!.workerId);
    expect(coordinator.pool.workers().filter(isIt)[0]!.session).toBe(before[0]!.session);
  });
});

describe('a tf.LayersModel on the pool', () => {
  it('computes requests together, each with its own rows, also of different lengths', async () => {
    const model = deployment(models.sequence.checkpoint, { runOn: 'pool', maxOngoingRequests: 40 });
    await serve.run(model, { port: 0 });
    const row = (length: number): number[][] => Array.from({ length }, (_, i) => [i / 10, (i * i) / 50]);
    const lengths = Array.from({ length: 40 }, (_, i) => 1 + ((i * 7) % 5));
    const answers = await Promise.all(lengths.map((length) => predicted('/', [row(length)])));
    const expected = lengths.map((length) =>
      tf.tidy(() => (models.sequence.model.predict(tf.tensor3d([row(length)])) as tf.Tensor).dataSync()[0]!),
    );
    expectClose(
      answers,
      expected.map((predictions) => [{ predictions }]),
    );
  });

  it('does to inputs what the trainer did to them', async () => {
    const inputs = [{ name: 'any', scale: 1 / 127.5, offset: -1 }];
    const trained = copied('trained', (place) =>
      writeFileSync(path.join(place, 'inputs.json'), JSON.stringify({ inputs })),
    );
    await serve.run(deployment(trained, { runOn: 'pool' }), { port: 0 });
    const bytes = [0, 1].map((row) => [0, 255, 128, 7 + row]);
    const scaled = chances(bytes.map((row) => row.map((byte) => byte / 127.5 - 1)));
    expectClose(
      await predicted('/', bytes),
      scaled.map((predictions) => ({ predictions })),
    );
  });

  it('refuses what does not fit with 400 and the field', async () => {
    await serve.run(deployment(models.branched.checkpoint, { runOn: 'pool', runtime: 'browser' }), {
      port: 0,
    });
    const refused = await post('/', JSON.stringify([{ ...examples[0], words: [0.5, 1] }]));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { code: 'SERVE_INPUT_INVALID', row: 0, field: 'words' },
    });
    const short = [{ name: 'image', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }];
    const infer = await post('/v2/models/default/infer', JSON.stringify({ inputs: short }));
    expect([infer.status, await infer.json()]).toMatchObject([
      400,
      { error: expect.stringMatching(/Tensor "image" has shape \[1,3\]/) as string },
    ]);
    expect((await post('/', '[')).status).toBe(400);
  });

  it('is refused before anything is opened where its folder is damaged, and by the worker where tfjs knows a layer not', async () => {
    const opened: number[] = [];
    const run = (checkpoint: Checkpoint, options = {}): Promise<unknown> =>
      serve.run(deployment(checkpoint, { runOn: 'pool', ...options }), { port: 0 });
    const truncated = copied('short', (place) => truncateSync(path.join(place, 'group1-shard2of2.bin'), 5));
    const stop = coordinator.pool.on(() => {
      opened.push(coordinator.pool.workers().reduce((sum, { programs }) => sum + programs, 0));
    });
    await expect(run(truncated)).rejects.toMatchObject({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringMatching(/have \d+ bytes; its manifest tells \d+/) as string,
    });
    stop();
    expect(opened.every((programs) => programs === 0)).toBe(true);
    const unknown = copied('unknownLayer', (place) => {
      const file = path.join(place, 'model.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace('"class_name":"Dense"', '"class_name":"Magic"'));
    });
    await expect(run(unknown)).rejects.toMatchObject({
      code: 'PROGRAM_START_FAILED',
      message: expect.stringMatching(/a served tf.LayersModel can't be opened on worker .*Magic/) as string,
    });
    const bound = deployment(models.dense.checkpoint, { runOn: 'pool', device: 'webgpu' }).bind({
      device: 'cpu',
    });
    await expect(serve.run(bound, { port: 0 })).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
      message: expect.stringMatching(/asks for webgpu workers and is bound to compute on cpu/) as string,
    });
  });

  it('loses no request when one of its two tabs is closed under load and its folder is gone', async () => {
    const checkpoint = copied('gone', () => undefined);
    const model = deployment(checkpoint, {
      runOn: 'pool',
      runtime: 'browser',
      device: 'cpu',
      numReplicas: 2,
    });
    await serve.run(model, { port: 0 });
    const tabs = (): PoolWorker[] =>
      coordinator.pool
        .workers()
        .filter(({ runtime, device }) => runtime === 'browser' && device.kind === 'cpu');
    expect(tabs().map(({ programs }) => programs)).toEqual([1, 1]);
    rmSync(checkpoint.path, { recursive: true });
    const rows = points(50);
    const expected = await predicted('/', rows);
    expectClose(
      expected,
      chances(rows).map((predictions) => ({ predictions })),
    );
    const over = new AbortController();
    const progress = { answered: 0 };
    const caller = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const response = await post('/', JSON.stringify(rows));
        expect(response.status).toBe(200);
        expect(await response.json()).toEqual(expected);
        progress.answered += 1;
      }
    };
    const callers = Promise.all(Array.from({ length: 6 }, caller));
    const until = async (isReached: () => boolean): Promise<void> => {
      while (!isReached()) await Promise.race([callers, turn()]);
    };
    await until(() => progress.answered >= 30);
    await startedWorkers[0]!.workers[0]!.kill();
    await until(() => logged.some((line) => line.includes('replica Model#3 is ready')));
    const { answered } = progress;
    await until(() => progress.answered >= answered + 30);
    over.abort();
    await callers;
    expect(serve.status().applications['default']!.deployments[0]!.replicas.running).toBe(2);
  });
});
