import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from './servedModels.ts';

let models: ServedModels;
const serve = new Serve();
let url = '';
beforeAll(async () => {
  models = makeServedModels();
  await serve.run(deployment(models.late.checkpoint, { numReplicas: 2 }), { port: 0 });
  await serve.run(deployment(GBDTPredictor).bind(models.classes.checkpoint, { outputColumn: 'chance' }), {
    name: 'classes',
    routePrefix: '/classes',
  });
  url = serve.url!;
});
afterAll(async () => {
  await serve.shutdown();
  models.remove();
});

async function post(body: string, path = '/'): Promise<unknown> {
  const response = await fetch(url + path, { method: 'POST', body });
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(response.status).toBe(200);
  return response.json();
}

describe('a served model', () => {
  it('predicts what real XGBoost and GBDTPredictor predict, for 0, 1, 63, 64, 65 and 2000 records', async () => {
    for (const count of [0, 1, 63, 64, 65, 2000]) {
      const rows = flights(count);
      const answer = (await post(JSON.stringify(rows))) as { predictions: number }[];
      const columns = {
        distance: rows.map((row) => row.distance),
        hour: rows.map((row) => row.hour),
        carrier: rows.map((row) => row.carrier),
      };
      const ours = new GBDTPredictor(models.late.checkpoint).call(columns)['predictions'] as Float32Array;
      expect(answer.map(({ predictions }) => predictions)).toEqual([...ours]);
      if (count === 0) continue;
      const theirs = models.late.booster.predict({ columns: oracleColumns(rows), labels: [] });
      expect(
        Math.max(...answer.map(({ predictions }, i) => Math.abs(predictions - theirs[i]!))),
      ).toBeLessThan(1e-6);
    }
  });

  it("takes the JSON string of records that Ray's client posts, one record, and columns, and answers in kind", async () => {
    const rows = flights(5);
    const records = (await post(JSON.stringify(rows))) as { predictions: number }[];
    expect(await post(JSON.stringify(JSON.stringify(rows)))).toEqual(records);
    expect(await post(JSON.stringify(rows[3]))).toEqual(records[3]);
    expect(await post(JSON.stringify(rows.map((row) => [row.distance, row.hour, row.carrier])))).toEqual(
      records,
    );
    const columns = {
      carrier: rows.map((row) => row.carrier),
      hour: rows.map((row) => row.hour),
      distance: rows.map((row) => row.distance),
    };
    expect(await post(JSON.stringify(columns))).toEqual({
      predictions: records.map(({ predictions }) => predictions),
    });
  });

  it('ignores fields that it does not know, and takes categories that it has not seen as missing', async () => {
    const row = { distance: 900, hour: 17, carrier: null };
    const known = await post(JSON.stringify(row));
    expect(
      await post(JSON.stringify({ ...row, carrier: 'ZZ', note: 'x', constructor: 1, __proto__: 2 })),
    ).toEqual(known);
  });

  it('returns a column a class, under the name asked for', async () => {
    const rows = [
      { x: 90, y: 1 },
      { x: 10, y: 80 },
    ];
    const answer = (await post(JSON.stringify(rows), '/classes')) as Record<string, number>[];
    expect(Object.keys(answer[0]!)).toEqual(['chance_0', 'chance_1', 'chance_2']);
    const theirs = models.classes.booster.predict({
      columns: [Float32Array.of(90, 10), Float32Array.of(1, 80)],
      labels: [],
    });
    expect(answer.flatMap((row) => Object.values(row))).toEqual(
      [...theirs].map((value) => expect.closeTo(value, 6) as number),
    );
  });

  it('answers handles in the process with columns of predictions', async () => {
    const result = (await serve.handle().remote({ distance: [900], hour: [17], carrier: ['AA'] })) as {
      predictions: Float32Array;
    };
    const [record] = (await post('[{"distance":900,"hour":17,"carrier":"AA"}]')) as { predictions: number }[];
    expect([...result.predictions]).toEqual([record!.predictions]);
  });
});
