// mapBatches on real workers: tabs, Deno and Node processes.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../../coordinator/data/dataset.ts';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import type { PoolStatus } from '../../../coordinator/data/operators/poolStatus.ts';
import type { LocalRuntime, LocalWorker } from '../../../coordinator/options/localWorker.ts';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { deferred } from '../../../shared/deferred.ts';
import { flights, makeServedModels, oracleColumns } from '../serve/servedModels.ts';

const MAPPERS = 'test/coordinator/data/fixtures/mappers.ts';
const ADMIN_TOKEN = 'the-admin-token-of-this-test';

let coordinator: Coordinator;
let localWorkers: LocalWorkers;
/** Node and Deno workers that take no owners' code. */
let refusing: LocalWorkers;

beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0, graceMs: 500, adminToken: ADMIN_TOKEN });
  // For all cases: those that kill one come last, and leave a node worker.
  [localWorkers, refusing] = await Promise.all([
    start(['browser', 'deno', 'node'], true),
    start(['deno', 'node'], false),
  ]);
});
afterAll(async () => {
  await Promise.all([localWorkers.stop(), refusing.stop()]);
  await coordinator.close();
});

function start(runtime: readonly LocalRuntime[], allowCode: boolean): Promise<LocalWorkers> {
  return startLocalWorkers({
    url: coordinator.url,
    token: coordinator.tokens.local,
    count: runtime.length,
    runtime,
    device: 'cpu',
    allowCode,
  });
}

const onPool = (): { url: string; token: string } => ({ url: coordinator.url, token: ADMIN_TOKEN });

function people(rows: number): Dataset {
  return fromItems(Array.from({ length: rows }, (_, id) => ({ id, name: `n${id % 7}` })));
}

/** Every row once, in order. */
const scaled = (rows: number, factor: number): unknown[] =>
  Array.from({ length: rows }, (_, id) => ({ id, name: `n${id % 7}`, scaled: id * factor }));

/** The worker of that kind that takes owners' code. */
const only = (kind: LocalRuntime): LocalWorker =>
  localWorkers.workers.find((worker) => worker.kind === kind)!;

const programsInAll = (): number =>
  coordinator.pool.workers().reduce((sum, { programs }) => sum + programs, 0);

const closing = (address: string, runtime: LocalRuntime, rows = 100): Dataset =>
  people(rows).mapBatches(
    { module: MAPPERS, export: 'Closes' },
    {
      batchSize: 10,
      concurrency: 1,
      fnConstructorArgs: [address],
      scalingConfig: { ...onPool(), runtime },
    },
  );

/** An address, and what was asked of it. */
async function listen(onRequest: () => void = () => undefined): Promise<{
  readonly address: string;
  readonly asked: readonly string[];
  readonly close: () => void;
}> {
  const asked: string[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url!);
    response.end();
    onRequest();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/closed`, asked, close: () => void server.close() };
}

describe('mapBatches on a pool', () => {
  it("maps by the owner's class on a tab, a Deno and a Node worker together, each row once and in order", async () => {
    let status: PoolStatus | undefined;
    const allOpen = deferred<void>();
    let given = 0;
    // Some batches make the pool open; the others wait until every worker is there to take its part.
    const source = people(3_000).mapBatches(
      async (batch) => {
        if (++given > 6) await allOpen.promise;
        return batch;
      },
      { batchSize: 50 },
    );
    const mapped = source.mapBatches(
      { module: MAPPERS, export: 'SlowScale' },
      {
        batchSize: 50,
        concurrency: 3,
        fnConstructorArgs: [0.5],
        scalingConfig: onPool(),
        onStatus: (now) => {
          status = now;
          if (now.workers.length === 3) allOpen.resolve();
        },
      },
    );
    expect(await mapped.takeAll()).toEqual(scaled(3_000, 0.5));
    const rows = status!.rows;
    expect([...rows.keys()].sort()).toEqual(localWorkers.workers.map(({ workerId }) => workerId).sort());
    expect([...rows.values()].reduce((sum, count) => sum + count, 0)).toBe(3_000);
  });

  it("predicts with a checkpoint on workers that run no owners' code, as real XGBoost does", async () => {
    const models = makeServedModels();
    // The others are taken: what is left are the tab, and processes that refuse owners' code.
    const taken = localWorkers.workers.filter(({ kind }) => kind !== 'browser');
    for (const { workerId } of taken)
      await expect.poll(() => coordinator.pool.claim(workerId, 'some-run')).toBe(true);
    try {
      const rows = flights(2_000);
      const predicted = await fromItems(rows)
        .mapBatches(GBDTPredictor, {
          batchSize: 300,
          concurrency: 3,
          fnConstructorArgs: [models.late.checkpoint, { keepColumns: ['hour'] }],
          scalingConfig: onPool(),
        })
        .takeAll();
      const expected = models.late.booster.predict({ columns: oracleColumns(rows), labels: [] });
      expect(predicted.map((row) => row['hour'])).toEqual(rows.map(({ hour }) => hour));
      predicted.forEach((row, i) => expect(row['predictions']).toBeCloseTo(expected[i]!, 6));
    } finally {
      for (const { workerId } of taken) coordinator.pool.unclaim(workerId, 'some-run');
      models.remove();
    }
  });

  it('takes functions that stand alone as they are, in all forms of batches', async () => {
    const options = { batchSize: 64, scalingConfig: onPool() };
    const rows = await people(200)
      .mapBatches((batch) => batch.map((row) => ({ twice: 2 * (row['id'] as number) })), {
        ...options,
        batchFormat: 'rows',
      })
      .mapBatches((batch) => batch, { ...options, batchFormat: 'arrow' })
      .takeAll();
    expect(rows).toEqual(Array.from({ length: 200 }, (_, id) => ({ twice: 2 * id })));
  });

  it('starts workers of its own where no coordinator is named', async () => {
    const mapped = people(100).mapBatches(
      { module: MAPPERS, export: 'Scale' },
      { batchSize: 10, fnConstructorArgs: [3], scalingConfig: { numWorkers: 2, device: 'cpu' } },
    );
    expect(await mapped.takeAll()).toEqual(scaled(100, 3));
  });

  it('names batch, rows, worker, file and line of what the function threw, and the pool lives on', async () => {
    const failing = people(1_000)
      .mapBatches(
        { module: MAPPERS, export: 'refuseLarge' },
        { batchSize: 100, scalingConfig: { ...onPool(), runtime: 'deno' } },
      )
      .takeAll();
    await expect(failing).rejects.toMatchObject({
      code: 'DATA_USER_FUNCTION',
      message: expect.stringMatching(
        new RegExp(
          `mapBatches refuseLarge failed on batch 2 \\(rows 200 to 299\\) on worker ${only('deno').workerId}: ` +
            'RangeError: 251 is more than 250 \\(at test/coordinator/program/fixtures/limits.ts:9:11\\)',
        ),
      ) as string,
      place: { row: 200, peer: only('deno').workerId },
    });
    expect(
      await people(10)
        .mapBatches((batch) => batch, { scalingConfig: onPool() })
        .count(),
    ).toBe(10);
  });

  it('gives up on a function that never returns, and names the worker', async () => {
    const hanging = people(10).mapBatches(
      { module: MAPPERS, export: 'loopForever' },
      { scalingConfig: { ...onPool(), runtime: 'node' }, batchTimeoutS: 0.5 },
    );
    await expect(hanging.takeAll()).rejects.toThrow(
      new RegExp(
        `batch 0 .rows 0 to 9.*Worker ${only('node').workerId} \\(node\\) did not answer call within 500 ms`,
      ),
    );
    expect(
      await people(10)
        .mapBatches((batch) => batch, { scalingConfig: onPool() })
        .count(),
    ).toBe(10);
  });

  it('keeps a bounded number of batches under way, however slowly its output is taken', async () => {
    let read = 0;
    const source = people(10_000).mapBatches(
      (batch) => {
        read++;
        return batch;
      },
      { batchSize: 10 },
    );
    const mapped = source.mapBatches((batch) => batch, { scalingConfig: onPool() });
    let taken = 0;
    for await (const _ of mapped.iterArrow()) {
      expect(read - taken).toBeLessThan(8);
      if (++taken === 30) break;
    }
    await expect.poll(() => programsInAll(), { timeout: 10_000 }).toBe(0);
  });

  it.each(['browser', 'deno', 'node'] as const)(
    "calls close() of the owner's class on a %s worker when all is mapped, and tells what it throws",
    async (runtime) => {
      await expect(closing('', runtime).count()).rejects.toMatchObject({
        code: 'DATA_USER_FUNCTION',
        message: expect.stringMatching(
          /^mapBatches Closes failed in close\(\) on worker .*RangeError: closed after 10 batches \(at test\/.*mappers\.ts:/,
        ) as string,
        place: { peer: only(runtime).workerId },
      });
    },
  );

  it('calls close() when no more batches are wanted, and ends after it', async () => {
    const { address, asked, close } = await listen();
    try {
      for await (const _ of closing(address, 'node').iterArrow()) break;
      expect(asked).toEqual(['/closed']);
      expect(await closing(address, 'node').count()).toBe(100);
      expect(asked).toEqual(['/closed', '/closed']);
    } finally {
      close();
    }
  });

  it('is called off by its signal', async () => {
    const controller = new AbortController();
    const mapped = people(10).mapBatches(
      { module: MAPPERS, export: 'loopForever' },
      { scalingConfig: onPool(), onStatus: ({ workers }) => workers.length > 0 && controller.abort() },
    );
    await expect(mapped.takeAll(100, { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('refuses what can not work before any row is read', async () => {
    const missing = people(10).mapBatches(
      { module: './nowhere.ts', export: 'x' },
      { scalingConfig: onPool() },
    );
    await expect(missing.takeAll()).rejects.toMatchObject({ code: 'PROGRAM_BUNDLE_FAILED' });
    const args = people(10).mapBatches(
      { module: MAPPERS, export: 'Scale' },
      { scalingConfig: onPool(), fnConstructorArgs: [new Map()] },
    );
    await expect(args.takeAll()).rejects.toThrow(/fnConstructorArgs\[0\] is an instance of Map/);
    const refused = people(10).mapBatches((batch) => batch, {
      scalingConfig: { url: coordinator.url, token: 'x' },
    });
    await expect(refused.takeAll()).rejects.toMatchObject({ code: 'TOKEN_REQUIRED' });
    expect(() => people(1).mapBatches((batch) => batch, { batchTimeoutS: 0 })).toThrow(/batchTimeoutS is 0/);
    expect(() => people(1).mapBatches('x' as never)).toThrow(
      /takes a function, a class, or \{ module, export \}/,
    );
  });
});

describe('mapBatches on a pool whose workers go', () => {
  let more: LocalWorkers;
  beforeAll(async () => void (more = await start(['node'], true)));
  afterAll(() => more.stop());

  it.each([
    ['browser', 4],
    ['deno', 3],
    ['node', 2],
  ] as const)(
    'gives the batches of a killed %s worker, one of %d, to the others: each row is there once and in order',
    async (victim, concurrency) => {
      const killed = only(victim);
      let kill: Promise<void> | undefined;
      const mapped = people(2_000).mapBatches(
        { module: MAPPERS, export: 'SlowScale' },
        {
          batchSize: 20,
          concurrency,
          fnConstructorArgs: [2],
          scalingConfig: onPool(),
          onStatus: ({ rows }) => {
            if ((rows.get(killed.workerId) ?? 0) >= 100) kill ??= killed.kill();
          },
        },
      );
      expect(await mapped.takeAll()).toEqual(scaled(2_000, 2));
      expect(kill).toBeDefined();
      await kill;
    },
  );

  it('calls close() on a worker that leaves, once', async () => {
    const controller = new AbortController();
    const { address, asked, close } = await listen(() => controller.abort());
    try {
      let leaving: Promise<void> | undefined;
      const mapped = closing(address, 'node', 100_000).iterArrow({ signal: controller.signal });
      const taking = (async () => {
        for await (const _ of mapped) leaving ??= more.workers[0]!.stop();
      })();
      await expect(taking).rejects.toMatchObject({ code: 'ABORTED' });
      await leaving;
      expect(asked).toEqual(['/closed']);
    } finally {
      close();
    }
  });
});
