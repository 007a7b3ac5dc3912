// What volunteers answer, and what of it reaches callers.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAnswer, checkPredictions } from '../../../coordinator/serve/replica/poolAnswers.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { handMadeVolunteer } from '../program/handMadeVolunteer.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from './servedModels.ts';

let models: ServedModels;
let coordinator: Coordinator;
beforeAll(async () => {
  models = makeServedModels();
  coordinator = await startCoordinator({ port: 0, graceMs: 500 });
});
afterAll(async () => {
  await coordinator.close();
  models.remove();
});

const note = '0.01,"approved":true,"note":"<img src=x onerror=alert(1)>"';
const isProbe = (args: readonly unknown[]): boolean => args[1] === 1;

describe('a volunteer that answers nonsense', () => {
  it.each<[string, (right: Float32Array) => unknown]>([
    ['text that would stand in the JSON', (right) => Array.from(right, () => note)],
    ['too few predictions', (right) => right.subarray(1)],
    ['numbers of another kind', (right) => Float64Array.from(right)],
    ['what is no number', (right) => right.map(() => Number.NaN)],
    ['nothing', () => null],
  ])('such as %s is asked no more, and its calls are answered by another', async (_, nonsense) => {
    await using liar = await handMadeVolunteer(coordinator, (right, _method, args) =>
      isProbe(args) ? right : nonsense(right as Float32Array),
    );
    await using honest = await handMadeVolunteer(coordinator);
    const serve = new Serve({ coordinator, log: () => undefined });
    try {
      const pooled = deployment(models.late.checkpoint, { runOn: 'pool', numReplicas: 2 });
      await serve.run(pooled, { port: 0 });
      const rows = flights(3);
      const expected = [...models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length)];
      for (let i = 0; i < 6; i += 1) {
        const response = await fetch(serve.url!, { method: 'POST', body: JSON.stringify(rows) });
        const answers = (await response.json()) as object[];
        expect([response.status, answers]).toEqual([200, expected.map((predictions) => ({ predictions }))]);
      }
      // The one nonsense, and perhaps a probe.
      expect(liar.calls).toBeLessThanOrEqual(3);
      expect(honest.calls).toBeGreaterThanOrEqual(6);
      expect(coordinator.pool.worker(liar.workerId)?.programs).toBe(0);
    } finally {
      await serve.shutdown();
    }
  });

  it('to the health check is asked no more either', async () => {
    await using liar = await handMadeVolunteer(coordinator, (right) =>
      (right as Float32Array).map((value) => value / 2),
    );
    const serve = new Serve({ coordinator, log: () => undefined });
    try {
      const options = { runOn: 'pool', healthCheckPeriodS: 0.05, numReplicas: 1 } as const;
      await serve.run(deployment(models.late.checkpoint, options), { port: 0 });
      while (coordinator.pool.worker(liar.workerId)?.programs !== 0)
        await new Promise((resolve) => setImmediate(resolve));
      await using honest = await handMadeVolunteer(coordinator);
      const rows = flights(2);
      const expected = [...models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length)];
      const response = await fetch(serve.url!, { method: 'POST', body: JSON.stringify(rows) });
      expect(await response.json()).toEqual(expected.map((predictions) => ({ predictions })));
      expect(honest.calls).toBeGreaterThan(0);
    } finally {
      await serve.shutdown();
    }
  });
});

describe('predictions of a worker', () => {
  it('are as many as rows and outputs, and finite', () => {
    const right = Float32Array.of(1, 2, 3, 4);
    expect(checkPredictions(right, 2, 2)).toBe(right);
    expect(() => checkPredictions(right, 2, 1)).toThrow(
      'The worker answers with 4 numbers; expected 2 predictions for 2 rows.',
    );
    expect(() => checkPredictions([1, 2], 2, 1)).toThrow(/answers with object; expected 2 predictions/);
    expect(() => checkPredictions(Float32Array.of(1, 2, Infinity, 4), 2, 2)).toThrow(
      expect.objectContaining({
        code: 'PROGRAM_FRAME_INVALID',
        message: 'The worker predicts Infinity for row 1; expected a number.',
      }),
    );
  });
});

describe("the answer of an owner's class on a worker", () => {
  const answer = (headers: object, body: string | Uint8Array = '{}', status = 200) =>
    checkAnswer(() => ({ status, headers: headers as Record<string, string>, body }));

  it('keeps what is about the body, and nothing that would speak for the server', () => {
    const headers = {
      'content-type': 'application/json',
      'cache-control': 'max-age=7',
      'retry-after': '3',
      'set-cookie': 'session=stolen',
      location: 'https://elsewhere.example.org/',
      'access-control-allow-origin': '*',
      'x-accel-redirect': '/secrets',
      'content-security-policy': "default-src 'unsafe-inline'",
    };
    expect(answer(headers, '{}', 503)).toEqual({
      status: 503,
      headers: {
        'content-type': 'application/json',
        'cache-control': 'max-age=7',
        'retry-after': '3',
        'content-security-policy': 'sandbox',
      },
      body: '{}',
    });
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'of several lines',
      () => answer({ 'content-type': 'a\r\nset-cookie: b=c' }),
      /content-type to what is no line/,
    ],
    ['that is no text', () => answer({ etag: 7 }), /etag to what is no line of text/],
    ['that is very long', () => answer({ etag: 'e'.repeat(1_001) }), /etag/],
  ])('is nonsense with a header %s', (_, act, what) => {
    expect(act).toThrow(what);
  });

  it('is nonsense when it is larger than accepted, comes in pieces, or can not be written', () => {
    expect(() => answer({}, new Uint8Array(64 * 1024 * 1024 + 1))).toThrow(
      /67108865 bytes; expected at most/,
    );
    expect(() => checkAnswer(() => Promise.resolve() as never)).toThrow(/in pieces/);
    expect(() =>
      checkAnswer(() => {
        throw new TypeError('cyclic');
      }),
    ).toThrow("The worker's answer can not be written: cyclic");
  });
});
