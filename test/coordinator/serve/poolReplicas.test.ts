// Replicas on real workers of the pool: tabs, Deno and Node.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { PoolWorker } from '../../../coordinator/core/pool/poolWorker.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from './servedModels.ts';

let models: ServedModels;
let coordinator: Coordinator;
let serve: Serve;
let localWorkers: LocalWorkers;
const logged: string[] = [];
beforeAll(async () => {
  models = makeServedModels();
  coordinator = await startCoordinator({ port: 0, graceMs: 500 });
  const runtime = ['browser', 'browser', 'node', 'deno'] as const;
  localWorkers = await startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: runtime.length,
    runtime,
    device: 'cpu',
    allowCode: true,
  });
});
beforeEach(() => {
  serve = new Serve({ coordinator, log: ({ message }) => void logged.push(message) });
});
afterEach(() => serve.shutdown());
afterAll(async () => {
  await localWorkers.stop();
  await coordinator.close();
  models.remove();
});

const module = new URL('./fixtures/poolService.ts', import.meta.url);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a model on two tabs', () => {
  it('loses no request when one of them is closed under load', async () => {
    const tabs = (): PoolWorker[] =>
      coordinator.pool.workers().filter(({ runtime }) => runtime === 'browser');
    while (tabs().filter(({ peerId }) => peerId !== undefined).length < 2) await turn();
    await serve.run(
      deployment(models.late.checkpoint, { runOn: 'pool', runtime: 'browser', numReplicas: 2 }),
      {
        port: 0,
      },
    );
    expect(tabs().map(({ programs }) => programs)).toEqual([1, 1]);
    const rows = flights(50);
    const expected = [...models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length)];
    const over = new AbortController();
    const progress = { answered: 0 };
    const caller = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const response = await fetch(serve.url!, { method: 'POST', body: JSON.stringify(rows) });
        expect(response.status).toBe(200);
        const predicted = (await response.json()) as { predictions: number }[];
        expect(predicted.map(({ predictions }) => predictions)).toEqual(expected);
        progress.answered += 1;
      }
    };
    const callers = Promise.all(Array.from({ length: 6 }, caller));
    const until = async (isReached: () => boolean): Promise<void> => {
      while (!isReached()) await Promise.race([callers, turn()]);
    };
    await until(() => progress.answered >= 30);
    await localWorkers.workers[0]!.kill();
    // The tab that stayed has room for the other's replica too.
    await until(() => logged.some((line) => line.includes('replica Model#3 is ready')));
    const { answered } = progress;
    await until(() => progress.answered >= answered + 30);
    over.abort();
    await callers;
    expect(serve.status().applications['default']!.deployments[0]!.replicas.running).toBe(2);
  });
});

describe.each(['node', 'deno'] as const)('replicas on %s workers', (runtime) => {
  it('predict for HTTP, the inference protocol and handles, and test their health on the worker', async () => {
    const options = { runOn: 'pool', runtime, healthCheckPeriodS: 0.1 } as const;
    const handle = await serve.run(deployment(models.classes.checkpoint, options), { port: 0 });
    const expected = models.classes.checkpoint
      .toPredictor()
      .predict([Float32Array.of(90, 10), Float32Array.of(1, 80)], 2);
    expect(await handle.remote({ x: [90, 10], y: [1, 80] })).toEqual({
      predictions_0: Float32Array.of(expected[0]!, expected[3]!),
      predictions_1: Float32Array.of(expected[1]!, expected[4]!),
      predictions_2: Float32Array.of(expected[2]!, expected[5]!),
    });
    const inputs = [{ name: 'm', shape: [2, 2], datatype: 'FP32', data: [90, 1, 10, 80] }];
    const body = JSON.stringify({ inputs });
    const inferred = await fetch(`${serve.url}/v2/models/default/infer`, { method: 'POST', body });
    expect(await inferred.json()).toMatchObject({ outputs: [{ shape: [2, 3], data: [...expected] }] });
    const refused = await fetch(serve.url!, { method: 'POST', body: '[{"x": "a", "y": 1}]' });
    expect(refused.status).toBe(400);
  });

  it("run the owner's class with its own health check", async () => {
    const options = { runOn: 'pool', runtime, healthCheckPeriodS: 0.1, version: '1' } as const;
    const handle = await serve.run(deployment({ module, export: 'Doubler' }, options).bind(2), { port: 0 });
    const post = (place: string, body: string): Promise<Response> =>
      fetch(serve.url + place, { method: 'POST', body });
    const answer = await post('/', '[1, 2, 3]');
    const { headers } = answer;
    expect([answer.status, headers.get('content-language'), headers.get('set-cookie')]).toEqual([
      201,
      'x-worker',
      null,
    ]);
    expect(await answer.json()).toEqual([2, 4, 6]);
    expect(await handle.method('plus').remote(Float32Array.of(1, 2), 3)).toEqual(Float32Array.of(4, 5));
    expect((await post('/', '[')).status).toBe(400);
    const thrown = await post('/throw', '[]');
    expect([thrown.status, await thrown.text()]).toEqual([500, expect.not.stringMatching(/secret/)]);
    expect(logged.join('\n')).toMatch(/a secret of the owner \(at test\/.*poolService\.ts:/);
    await post('/sicken', '[]');
    while (serve.status().applications['default']!.deployments[0]!.restarts < 1) await turn();
    while ((await post('/', '[1]')).status !== 201) await turn();
  });
});

describe('a deployment on the pool', () => {
  it('that finds no worker in time says what it waits for', async () => {
    const options = { runOn: 'pool', device: 'webgpu', startTimeoutS: 0.2 } as const;
    const run = serve.run(deployment(models.late.checkpoint, options), { port: 0 });
    await expect(run).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(
        /not ready within 0.2 s\. a served tree model waits for 1 webgpu worker; 0 of \d are free .*\d of another kind/,
      ) as string,
    });
  });

  it('needs a coordinator, and what workers can run', async () => {
    const pool = { runOn: 'pool' } as const;
    class Own {
      call(): number {
        return 1;
      }
    }
    const run = (target: Parameters<Serve['run']>[0]): Promise<unknown> => serve.run(target, { port: 0 });
    await expect(new Serve().run(deployment(models.late.checkpoint, pool))).rejects.toThrow(
      /new Serve\({ coordinator }\)/,
    );
    await expect(run(deployment(Own, pool))).rejects.toThrow(/workers of the pool need its module/);
    const bound = deployment({ module, export: 'Doubler' }, pool).bind([
      deployment(models.late.checkpoint).bind(),
    ]);
    await expect(run(bound)).rejects.toThrow(/replicas on the pool can not call/);
    await expect(run(deployment({ module, export: 'Nobody' }, pool))).rejects.toThrow(/no export "Nobody"/);
    expect(() => deployment(models.late.checkpoint, { device: 'webgpu' })).toThrow(
      /^device chooses workers of the pool; it needs runOn "pool"/,
    );
  });
});
