import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import type { DeploymentHandle } from '../../../coordinator/serve/replica/handle.ts';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { repeated } from '../../setup/longRun.ts';
import { openNodeGpuDevice } from '../../setup/nodeGpu.ts';
import { saveFolder } from '../train/neural/savedFolders.ts';
import { makeLayersModels, type LayersModels } from './layersModels.ts';

let models: LayersModels;
let dense: DeploymentHandle;
const serve = new Serve({ log: () => undefined });
beforeAll(async () => {
  models = await makeLayersModels();
  const options = { numReplicas: 2, healthCheckPeriodS: 0.05 };
  dense = await serve.run(deployment(models.dense.checkpoint, options), { name: 'dense', port: 0 });
  await serve.run(deployment(models.branched.checkpoint).bind({ maxBatchSize: 4 }), {
    name: 'branched',
    routePrefix: '/branched',
  });
  await serve.run(deployment(models.sequence.checkpoint), { name: 'sequence', routePrefix: '/sequence' });
});
afterAll(async () => {
  await serve.shutdown();
  models.remove();
});

const points = (count: number): number[][] =>
  Array.from({ length: count }, (_, i) => [0, 1, 2, 3].map((j) => ((i * 7 + j * 3) % 11) / 4 - 1));

function chances(rows: readonly number[][]): number[][] {
  return tf.tidy(() => {
    const predicted = models.dense.model.predict(tf.tensor2d(rows as number[][])) as tf.Tensor2D;
    return predicted.arraySync();
  });
}

async function post(body: unknown, place = '/'): Promise<unknown> {
  const response = await fetch(serve.url + place, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}

const examples = Array.from({ length: 5 }, (_, n) => ({
  image: Array.from({ length: 6 }, (_, y) => Array.from({ length: 6 }, (_, x) => [((x + 1) * (y + n)) % 5])),
  words: [n, 9 - n],
}));

/** The same names and nesting, and numbers that differ by the rounding of float32: tfjs sums in other orders. */
function near(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 6);
  if (Array.isArray(value)) return value.map(near);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, near(one)]));
}

function branchedOracle(): { score: number[][]; label: number[][] } {
  return tf.tidy(() => {
    const image = tf.tensor4d(examples.map((one) => one.image));
    const words = tf.tensor2d(
      examples.map((one) => one.words),
      undefined,
      'int32',
    );
    const [score, label] = models.branched.model.predict([image, words]) as [tf.Tensor2D, tf.Tensor2D];
    return { score: score.arraySync(), label: label.arraySync() };
  });
}

describe('a served tf.LayersModel', () => {
  it("predicts what tfjs's own predict does, for 1, 63, 64, 65 and 257 rows", async () => {
    expect(await post([])).toEqual([]);
    for (const count of [1, 63, 64, 65, 257]) {
      const rows = points(count);
      expect(await post(rows)).toEqual(near(chances(rows).map((predictions) => ({ predictions }))));
    }
  });

  it('takes rows by input name, one row, columns and a JSON string of them, and answers in kind', async () => {
    const rows = points(3);
    const expected = ((await post(rows)) as { predictions: number[] }[]).map(
      ({ predictions }) => predictions,
    );
    expect(expected).toEqual(near(chances(rows)));
    const records = rows.map((row) => ({ dense_Dense1_input: row }));
    expect(await post(records)).toEqual(expected.map((predictions) => ({ predictions })));
    expect(await post(JSON.stringify(records))).toEqual(expected.map((predictions) => ({ predictions })));
    expect(await post(records[1])).toEqual({ predictions: expected[1] });
    expect(await post(rows[2])).toEqual({ predictions: expected[2] });
    expect(await post({ dense_Dense1_input: rows })).toEqual({ predictions: expected });
    expect(await dense.remote(rows)).toEqual(expected.map((predictions) => ({ predictions })));
    expect(await dense.remote({ dense_Dense1_input: rows.map((row) => Float32Array.from(row)) })).toEqual({
      predictions: expected,
    });
  });

  it('has several inputs and outputs, each by its name; an output of one number is a number', async () => {
    const { score, label } = branchedOracle();
    const expected = examples.map((_, i) => ({ score: score[i]![0], label: label[i] }));
    expect(await post(examples, '/branched')).toEqual(expected);
    expect(
      await post(
        { image: examples.map((one) => one.image), words: examples.map((one) => one.words) },
        '/branched',
      ),
    ).toEqual({ score: score.flat(), label });
    // Requests at the same time are predicted together, and each gets its own rows.
    const many = Array.from({ length: 40 }, (_, i) => post(examples[i % 5], '/branched'));
    expect(await Promise.all(many)).toEqual(Array.from({ length: 40 }, (_, i) => expected[i % 5]));
  });

  it('takes sizes that the model leaves open, also different ones at the same time', async () => {
    const row = (length: number): number[][] => Array.from({ length }, (_, i) => [i / 10, (i * i) / 50]);
    const lengths = [1, 3, 5, 3, 1, 4];
    const expected = lengths.map((length) =>
      tf.tidy(() => (models.sequence.model.predict(tf.tensor3d([row(length)])) as tf.Tensor).dataSync()[0]!),
    );
    const answers = await Promise.all(lengths.map((length) => post([row(length)], '/sequence')));
    expect(answers).toEqual(expected.map((predictions) => [{ predictions }]));
  });

  it("speaks KServe's V1 protocol", async () => {
    const rows = points(3);
    const expected = { predictions: near(chances(rows)) };
    const records = rows.map((row) => ({ dense_Dense1_input: row }));
    for (const instances of [rows, records])
      expect(await post({ instances }, '/v1/models/dense:predict')).toEqual(expected);
    expect(await post({ instances: rows.slice(0, 1) }, '/v1/models/dense:predict')).toEqual({
      predictions: near(chances(rows.slice(0, 1))),
    });
    const { score, label } = branchedOracle();
    expect(await post({ instances: examples }, '/v1/models/branched:predict')).toEqual({
      predictions: examples.map((_, i) => ({ score: score[i]![0], label: label[i] })),
    });
    expect(await post({ instances: [[1, 2]] }, '/v1/models/dense:predict')).toMatchObject({
      code: 'SERVE_INPUT_INVALID',
    });
  });

  it('takes the bytes of its one input without any JSON', async () => {
    const rows = points(3);
    const response = await fetch(`${serve.url}/v2/models/dense/infer`, {
      method: 'POST',
      body: Float32Array.from(rows.flat()),
      headers: { 'inference-header-content-length': '0' },
    });
    const bytes = await response.arrayBuffer();
    const headerBytes = Number(response.headers.get('inference-header-content-length'));
    expect(Array.from(new Float32Array(bytes.slice(headerBytes)))).toEqual(near(chances(rows).flat()));
    const several = await fetch(`${serve.url}/v2/models/branched/infer`, {
      method: 'POST',
      body: new Uint8Array(8),
      headers: { 'inference-header-content-length': '0' },
    });
    expect([several.status, await several.json()]).toMatchObject([
      400,
      { error: expect.stringContaining('a model of one input') as string },
    ]);
  });

  it('speaks the Open Inference Protocol, in JSON and binary', async () => {
    expect(await (await fetch(`${serve.url}/v2/models/branched`)).json()).toEqual({
      name: 'branched',
      versions: ['1'],
      platform: 'tensorflow_layers',
      inputs: [
        { name: 'image', datatype: 'FP32', shape: [-1, 6, 6, 1] },
        { name: 'words', datatype: 'INT32', shape: [-1, 2] },
      ],
      outputs: [
        { name: 'score', datatype: 'FP32', shape: [-1, 1] },
        { name: 'label', datatype: 'FP32', shape: [-1, 2] },
      ],
    });
    const { score, label } = branchedOracle();
    const inputs = [
      { name: 'words', datatype: 'INT64', shape: [5, 2], data: examples.map((one) => one.words) },
      {
        name: 'image',
        datatype: 'FP32',
        shape: [5, 6, 6, 1],
        data: examples.map((one) => one.image).flat(4),
      },
    ];
    expect(await post({ id: 'a', inputs }, '/v2/models/branched/infer')).toEqual({
      model_name: 'branched',
      model_version: '1',
      id: 'a',
      outputs: [
        { name: 'score', datatype: 'FP32', shape: [5, 1], data: score.flat() },
        { name: 'label', datatype: 'FP32', shape: [5, 2], data: label.flat() },
      ],
    });
    const outputs = [{ name: 'label', parameters: { binary_data: true } }];
    const response = await fetch(`${serve.url}/v2/models/branched/infer`, {
      method: 'POST',
      body: JSON.stringify({ inputs, outputs }),
    });
    const bytes = await response.arrayBuffer();
    const headerBytes = Number(response.headers.get('inference-header-content-length'));
    expect(JSON.parse(Buffer.from(bytes, 0, headerBytes).toString())).toMatchObject({
      outputs: [{ name: 'label', shape: [5, 2], parameters: { binary_data_size: 40 } }],
    });
    expect([...new Float32Array(bytes.slice(headerBytes))]).toEqual(label.flat());
  });

  it('is described for OpenAPI, and predicts to test its health', async () => {
    const api = (await (await fetch(`${serve.url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { summary: string; requestBody: { content: object } } }>;
    };
    expect(api.paths['/branched']!.post.summary).toMatch(/a tf\.LayersModel of 9 layers and \d+ parameters/);
    expect(JSON.stringify(api.paths['/branched']!.post.requestBody.content)).toContain(
      '"words":{"type":"array","items":{"type":"number"},"minItems":2,"maxItems":2}',
    );
    const expected = near(chances(points(1)).map((predictions) => ({ predictions })));
    for (let i = 0; i < 20; i++) expect(await post(points(1))).toEqual(expected);
    expect(serve.status().applications['dense']!.deployments[0]!.restarts).toBe(0);
  });

  it('predicts on WebGPU where that is asked for', async () => {
    // Brings a software adapter into this process, which its threads see too.
    const device = await openNodeGpuDevice();
    await serve.run(deployment(models.branched.checkpoint).bind({ device: 'webgpu' }), {
      name: 'gpu',
      routePrefix: '/gpu',
    });
    const { score, label } = branchedOracle();
    const answers = (await post(examples, '/gpu')) as { score: number; label: number[] }[];
    for (const [i, answer] of answers.entries()) {
      expect(answer.score).toBeCloseTo(score[i]![0]!, 4);
      expect(answer.label[1]).toBeCloseTo(label[i]![1]!, 4);
    }
    expect(answers).toHaveLength(5);
    await serve.delete('gpu');
    device.destroy();
  });

  it('outlives replicas on WebGPU that are ended while they compute, by tfjs and by the compiled engine', async () => {
    const device = await openNodeGpuDevice();
    for (let round = 0; round < repeated(6, 2); round++) {
      const [{ checkpoint }, rows] = round % 2 ? [models.dense, points(5)] : [models.branched, examples];
      const model = deployment(checkpoint, { gracefulShutdownTimeoutS: 0 });
      const handle = await serve.run(model.bind({ device: 'webgpu' }), { name: 'gpu', routePrefix: '/gpu' });
      let answered = 0;
      let reached: () => void;
      const busy = new Promise<void>((resolve) => (reached = resolve));
      const caller = async (): Promise<unknown> => {
        for (;;) {
          await handle.remote(rows);
          if (++answered === 30) reached();
        }
      };
      const callers = Promise.allSettled(Array.from({ length: 10 }, caller));
      await busy;
      await serve.delete('gpu');
      for (const one of await callers) {
        const code = expect.stringMatching(/^SERVE_(UNAVAILABLE|REPLICA_LOST)$/) as string;
        expect(one).toMatchObject({ status: 'rejected', reason: { code } });
      }
    }
    device.destroy();
  });

  const one = [0.5, 0.5, 0.5, 0.5];
  const refused: readonly [string, unknown, RegExp, object?][] = [
    [
      'a number',
      7,
      /The body is a number; expected records like {"dense_Dense1_input": values of shape \[4\]}/,
    ],
    [
      'too few values',
      [one, [1, 2]],
      /Row 1, input "dense_Dense1_input" has an array of 2 at axis 0.*shape \[4\]/,
      { row: 1 },
    ],
    ['text', [[1, 2, 'x', 4]], /Row 0, input "dense_Dense1_input" holds "x"; expected a finite number/],
    ['null', [one, [1, null, 3, 4]], /Row 1, .* holds null/, { row: 1, field: 'dense_Dense1_input' }],
    ['numbers beyond float32', [[1e300, 1, 1, 1]], /holds 1e\+300/],
    ['a deeper nesting', [[one]], /holds an array|has an array of 1/],
    ['another input', [{ input: one }], /Row 0 lacks the input "dense_Dense1_input"/],
    ['a row that is no record', [{ dense_Dense1_input: one }, 3], /Row 1 is no record/, { row: 1 }],
  ];
  it.each(refused)('refuses %s', async (_what, body, message, place = {}) => {
    expect(await post(body)).toMatchObject({
      error: { code: 'SERVE_INPUT_INVALID', message: expect.stringMatching(message) as string, ...place },
    });
  });

  it('refuses bare arrays for several inputs, columns of different lengths, fractions where words are numbered', async () => {
    const [first] = examples;
    expect(await post([[1]], '/branched')).toMatchObject({
      error: { message: expect.stringMatching(/has 2 inputs: send records/) as string },
    });
    expect(
      await post(
        {
          image: [first!.image],
          words: [
            [1, 2],
            [3, 4],
          ],
        },
        '/branched',
      ),
    ).toMatchObject({
      error: { message: expect.stringMatching(/"words" has 2 rows and "image" has 1/) as string },
    });
    expect(await post({ ...first, words: [0.5, 1] }, '/branched')).toMatchObject({
      error: { message: expect.stringMatching(/holds 0.5; expected a whole number/) as string },
    });
    const tensor = { name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] };
    expect(await post({ inputs: [tensor] }, '/v2/models/dense/infer')).toMatchObject({
      error: 'Tensor "x" has shape [1,3]; expected [1,4].',
    });
    expect(await post({ inputs: [tensor] }, '/v2/models/branched/infer')).toMatchObject({
      error: 'There is no input tensor "image" of shape [1,6,6,1].',
    });
  });
});

const spoilt = (name: string, spoil: (place: string, model: Record<string, unknown>) => void): Checkpoint => {
  const place = path.join(models.folder, name);
  cpSync(models.dense.checkpoint.path, place, { recursive: true });
  const file = path.join(place, 'model.json');
  const model = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  spoil(place, model);
  writeFileSync(file, JSON.stringify(model));
  return new Checkpoint(place);
};

it('does to inputs what the trainer did to them, one row and several alike, and refuses half of it', async () => {
  const kept = (inputs: readonly object[]) => (place: string) =>
    writeFileSync(path.join(place, 'inputs.json'), JSON.stringify({ inputs }));
  const scaled = spoilt('scaled', kept([{ name: 'any', scale: 1 / 127.5, offset: -1 }]));
  await serve.run(deployment(scaled), { name: 'scaled', routePrefix: '/scaled' });
  const bytes = [0, 1].map((row) => [0, 255, 128, 7 + row]);
  const expected = chances(bytes.map((row) => row.map((byte) => byte / 127.5 - 1)));
  const answers = (await post(bytes, '/scaled')) as { predictions: number[] }[];
  for (const [row, { predictions }] of answers.entries()) {
    for (const [at, chance] of predictions.entries()) expect(chance).toBeCloseTo(expected[row]![at]!, 6);
  }
  expect(await post(bytes[1], '/scaled')).toEqual(answers[1]);
  const halved = spoilt('halved', kept([{ name: 'any', scale: 2 }]));
  await expect(serve.run(deployment(halved), { name: 'halved', routePrefix: '/halved' })).rejects.toThrow(
    /inputs\.json is damaged: inputs\.0\.offset/,
  );
});

it('refuses a number that is in no table of an embedding, and answers the requests beside it', async () => {
  const words = tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: 10, outputDim: 4, inputLength: 3 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 1 }),
    ],
  });
  const place = await saveFolder(words);
  await serve.run(deployment(new Checkpoint(place)), { name: 'words', routePrefix: '/words' });
  const rows = Array.from({ length: 30 }, (_, i) =>
    i % 10 === 7 ? [1, i === 7 ? -1 : 10, 2] : [i % 10, 9, 0],
  );
  const answers = await Promise.all(rows.map((row) => post([row], '/words')));
  for (const [i, row] of rows.entries()) {
    if (i % 10 === 7) {
      expect(answers[i]).toMatchObject({
        error: {
          code: 'SERVE_INPUT_INVALID',
          message: `Row 0, input "${words.inputNames[0]}" holds ${row[1]}; expected a number from 0 to 9.`,
          row: 0,
        },
      });
      continue;
    }
    const [expected] = tf.tidy(() => (words.predict(tf.tensor2d([row])) as tf.Tensor).dataSync());
    expect(answers[i]).toEqual([{ predictions: expect.closeTo(expected!, 6) as number }]);
  }
  expect(await (await fetch(`${serve.url}/v2/models/words`)).json()).toMatchObject({
    inputs: [{ datatype: 'INT32', shape: [-1, 3] }],
  });
  await serve.delete('words');
  rmSync(place, { recursive: true });
});

describe('a folder that is no sound tf.LayersModel', () => {
  const shard = 'group1-shard2of2.bin';

  it('is refused with what is wrong, and nothing changes', async () => {
    const truncated = spoilt('truncated', (place) => truncateSync(path.join(place, shard), 5));
    const elsewhere = spoilt('elsewhere', (_, model) => {
      (model['weightsManifest'] as { paths: string[] }[])[0]!.paths = ['../dense/group1-shard1of2.bin'];
    });
    const missing = spoilt('missing', (_, model) => {
      (model['weightsManifest'] as { paths: string[] }[])[0]!.paths = ['none.bin'];
    });
    const unknown = spoilt('unknown', (_, model) => {
      model['modelTopology'] = {
        class_name: 'Sequential',
        config: { layers: [{ class_name: 'Magic', config: {} }] },
      };
    });
    const run = (checkpoint: Checkpoint): Promise<unknown> =>
      serve.run(deployment(checkpoint), { name: 'dense' });
    const invalid = (message: RegExp): object => ({
      code: 'CHECKPOINT_INVALID',
      message: expect.stringMatching(message) as string,
    });
    await expect(run(truncated)).rejects.toMatchObject(invalid(/have \d+ bytes; its manifest tells \d+/));
    await expect(run(elsewhere)).rejects.toMatchObject(
      invalid(/paths\.0: expected the name of a file beside/),
    );
    await expect(run(missing)).rejects.toMatchObject(invalid(/none\.bin can not be read/));
    await expect(run(unknown)).rejects.toMatchObject(invalid(/tfjs can not load the model.*Magic/));
    await expect(
      serve.run(deployment(models.dense.checkpoint).bind({ device: 'tpu' })),
    ).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
    });
    expect(await post(points(1))).toEqual(near(chances(points(1)).map((predictions) => ({ predictions }))));
  });
});
