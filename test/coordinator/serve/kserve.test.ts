import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from './servedModels.ts';

let models: ServedModels;
const serve = new Serve({ log: () => undefined });
const rows = flights(120);
let predicted: number[];
let margins: number[];
const points = Array.from({ length: 40 }, (_, i) => ({ x: (i * 37) % 97, y: (i * 53) % 97 }));
const pointColumns = [Float32Array.from(points, ({ x }) => x), Float32Array.from(points, ({ y }) => y)];
let classes: number[][];
let classMargins: number[][];

/** Takes every path. */
class Anything {
  call(): string {
    return 'mine';
  }
}

/** Real XGBoost's, [row][output]. */
function threes(flat: ArrayLike<number>): number[][] {
  return points.map((_, row) => [0, 1, 2].map((output) => flat[row * 3 + output]!));
}

beforeAll(async () => {
  models = makeServedModels();
  const { late, classes: ofThree } = models;
  await serve.run(deployment(late.checkpoint), { name: 'late', port: 0 });
  await serve.run(deployment(ofThree.checkpoint), { name: 'classes', routePrefix: '/classes' });
  await serve.run(deployment(Anything), { name: 'anything', routePrefix: '/v1' });
  const extras = { withLabel: true, withMargin: true };
  await serve.run(deployment(late.checkpoint).bind(extras), { name: 'late-more', routePrefix: '/late-more' });
  await serve.run(deployment(ofThree.checkpoint).bind(extras), {
    name: 'classes-more',
    routePrefix: '/classes-more',
  });
  const flightData = { columns: oracleColumns(rows), labels: rows.map(() => 0) };
  const pointData = { columns: pointColumns, labels: points.map(() => 0) };
  const asMargin = { outputMargin: true };
  predicted = Array.from(late.booster.predict(flightData));
  margins = Array.from(late.booster.predict(flightData, asMargin));
  classes = threes(ofThree.booster.predict(pointData));
  classMargins = threes(ofThree.booster.predict(pointData, asMargin));
});
afterAll(async () => {
  await serve.shutdown();
  models.remove();
});

async function post(place: string, value: unknown): Promise<[number, unknown]> {
  const response = await fetch(serve.url + place, { method: 'POST', body: JSON.stringify(value) });
  return [response.status, await response.json()];
}

describe("KServe's V1 protocol", () => {
  it('predicts instances: records, or arrays in the order of the features', async () => {
    const arrays = rows.map(({ distance, hour, carrier }) => [distance, hour, carrier]);
    for (const instances of [rows, arrays]) {
      const [status, answer] = await post('/v1/models/late:predict', { instances });
      expect(status).toBe(200);
      const { predictions } = answer as { predictions: number[] };
      expect(predictions).toHaveLength(rows.length);
      for (const [row, value] of predictions.entries()) expect(value).toBeCloseTo(predicted[row]!, 6);
    }
    expect(await post('/v1/models/late:predict', { instances: [] })).toEqual([200, { predictions: [] }]);
  });

  it('answers an array a row where a model has several classes', async () => {
    const [, answer] = await post('/v1/models/classes:predict', { instances: points });
    const { predictions } = answer as { predictions: number[][] };
    for (const [row, values] of predictions.entries()) {
      for (const [output, value] of values.entries()) expect(value).toBeCloseTo(classes[row]![output]!, 6);
    }
    expect(predictions).toHaveLength(points.length);
  });

  it('refuses what is no request of it, in its own form', async () => {
    const place = '/v1/models/late:predict';
    for (const body of [{}, [], null, { instances: {} }, rows]) {
      expect(await post(place, body)).toMatchObject([
        400,
        { error: expect.stringContaining('"instances"') as string, code: 'SERVE_INPUT_INVALID' },
      ]);
    }
    expect(await post(place, { instances: [{ distance: 1, hour: 2 }] })).toMatchObject([
      400,
      { error: expect.stringContaining('Row 0 lacks the field "carrier"') as string },
    ]);
    const got = await fetch(`${serve.url}${place}`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('tells whether a model is ready', async () => {
    const response = await fetch(`${serve.url}/v1/models/late`);
    expect([response.status, await response.json()]).toEqual([200, { name: 'late', ready: true }]);
  });

  it('leaves other paths to applications', async () => {
    for (const place of ['/v1/models/other:predict', '/v1/models/anything', '/v1/models', '/v1'])
      expect(await (await fetch(serve.url + place)).text()).toBe('mine');
  });
});

describe('a class and margins beside the predictions', () => {
  it('come as columns, as real XGBoost has them', async () => {
    const [, answer] = await post('/late-more', rows);
    for (const [row, one] of (answer as Record<string, number>[]).entries()) {
      expect(Object.keys(one)).toEqual(['predictions', 'label', 'margin']);
      expect(one['predictions']).toBeCloseTo(predicted[row]!, 6);
      expect(one['margin']).toBeCloseTo(margins[row]!, 5);
      expect(one['label']).toBe(Number(predicted[row]! > 0.5));
    }
    expect(new Set((answer as { label: number }[]).map(({ label }) => label))).toEqual(new Set([0, 1]));
    const [, plain] = await post('/', rows);
    expect((answer as Record<string, number>[]).map(({ predictions }) => ({ predictions }))).toEqual(plain);
  });

  it('of several classes: the first of the most probable', async () => {
    const columns = { x: points.map(({ x }) => x), y: points.map(({ y }) => y) };
    const [, answer] = await post('/classes-more', columns);
    const told = answer as Record<string, number[]>;
    const names = ['predictions_0', 'predictions_1', 'predictions_2', 'label'];
    expect(Object.keys(told)).toEqual([...names, 'margin_0', 'margin_1', 'margin_2']);
    for (const [row, values] of classes.entries()) {
      expect(told['label']![row]).toBe(values.indexOf(Math.max(...values)));
      for (const output of [0, 1, 2]) {
        expect(told[`predictions_${output}`]![row]).toBeCloseTo(values[output]!, 6);
        expect(told[`margin_${output}`]![row]).toBeCloseTo(classMargins[row]![output]!, 5);
      }
    }
  });

  it('come as tensors and as instances too, and are described', async () => {
    const inputs = ['x', 'y'].map((name, at) => ({
      name,
      shape: [points.length],
      datatype: 'FP32',
      data: Array.from(pointColumns[at]!),
    }));
    const [, answer] = await post('/v2/models/classes-more/infer', { inputs });
    const { outputs } = answer as {
      outputs: { name: string; datatype: string; shape: number[]; data: number[] }[];
    };
    expect(outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ['predictions', 'FP32', [40, 3]],
      ['label', 'INT32', [40]],
      ['margin', 'FP32', [40, 3]],
    ]);
    expect(outputs[1]!.data).toEqual(classes.map((values) => values.indexOf(Math.max(...values))));
    const described = (await (await fetch(`${serve.url}/v2/models/classes-more`)).json()) as object;
    expect(described).toMatchObject({
      outputs: [
        { name: 'predictions', datatype: 'FP32', shape: [-1, 3] },
        { name: 'label', datatype: 'INT32', shape: [-1] },
        { name: 'margin', datatype: 'FP32', shape: [-1, 3] },
      ],
    });
    const [, instances] = await post('/v1/models/late-more:predict', { instances: rows.slice(0, 1) });
    expect((instances as { predictions: object[] }).predictions.map(Object.keys)).toEqual([
      ['predictions', 'label', 'margin'],
    ]);
  });

  it('are refused where they can not be', async () => {
    const run = (options: object): Promise<unknown> =>
      serve.run(deployment(models.late.checkpoint).bind(options), { name: 'wrong', routePrefix: '/wrong' });
    await expect(run({ withLabel: true, outputMargin: true })).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
    });
    await expect(run({ withLabel: true, outputColumn: 'label' })).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
      place: { field: 'outputColumn' },
    });
  });
});
