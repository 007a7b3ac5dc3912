// Code of owners on strangers' workers, where its owner says that it is deterministic: it is compared, and where it is not
// what it is said to be, that is told.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import type { Dataset } from '../../../coordinator/data/dataset.ts';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import type { MapBatchesOptions } from '../../../coordinator/data/operators/mapBatches.ts';
import type { PoolStatus } from '../../../coordinator/data/operators/poolStatus.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';

const MAPPERS = 'test/coordinator/data/fixtures/mappers.ts';
const ADMIN_TOKEN = 'the-admin-token-of-this-test';

let coordinator: Coordinator;
let localWorkers: LocalWorkers;
beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0, adminToken: ADMIN_TOKEN });
  localWorkers = await startLocalWorkers({
    url: coordinator.url,
    // As any volunteer.
    token: coordinator.tokens.join,
    count: 3,
    runtime: ['deno', 'node', 'node'],
    device: 'cpu',
    allowCode: true,
  });
});
afterAll(async () => {
  await localWorkers.stop();
  await coordinator.close();
});

let last: PoolStatus | undefined;
const onPool = (): Pick<
  MapBatchesOptions<'columns', never>,
  'concurrency' | 'onStatus' | 'scalingConfig'
> => ({
  concurrency: 3,
  scalingConfig: { url: coordinator.url, token: ADMIN_TOKEN },
  onStatus: (status) => (last = status),
});

function people(rows: number): Dataset {
  return fromItems(Array.from({ length: rows }, (_, id) => ({ id, name: `n${id % 7}` })));
}

describe('a function that is said to be deterministic', () => {
  it('is computed again now and then, and compared in all of its columns', async () => {
    const mapped = people(600).mapBatches(
      { module: MAPPERS, export: 'Scale' },
      { ...onPool(), batchSize: 10, fnConstructorArgs: [3], deterministic: true },
    );
    expect(await mapped.takeAll(600)).toEqual(
      Array.from({ length: 600 }, (_, id) => ({ id, name: `n${id % 7}`, scaled: 3 * id })),
    );
    expect(last?.checks.batches).toBeGreaterThan(10);
    expect(last?.checks.liars).toEqual([]);
    const passed = coordinator.pool.workers().reduce((sum, { checksPassed }) => sum + checksPassed, 0);
    expect(passed).toBe(last?.checks.batches);
  });

  it('is not compared where nobody says so', async () => {
    const mapped = people(200).mapBatches((batch) => ({ id: batch['id']! }), { ...onPool(), batchSize: 10 });
    expect(await mapped.count()).toBe(200);
    expect(last?.checks.batches).toBe(0);
  });

  it('ends the mapping where it is not, and accuses nobody', async () => {
    const mapped = people(600).mapBatches(
      (batch) => ({ id: Float64Array.from(batch['id'] as ArrayLike<number>, () => Math.random()) }),
      { ...onPool(), batchSize: 10, deterministic: true },
    );
    await expect(mapped.takeAll(600)).rejects.toMatchObject({
      code: 'DATA_USER_FUNCTION',
      message: expect.stringMatching(
        /^mapBatches function failed when batch \d+ \(rows \d+ to \d+\) was checked: Workers .* give different answers, first in row 0 of column "id", and no two of three agree/,
      ) as string,
    });
    expect(coordinator.moderation.bans()).toEqual([]);
  });

  it('is refused where that has no effect', () => {
    const refused = (act: () => unknown): void => {
      expect(act).toThrow(
        expect.objectContaining({ code: 'DATA_ARGUMENT', place: { field: 'deterministic' } }),
      );
    };
    refused(() => people(1).mapBatches((batch) => batch, { deterministic: true }));
    refused(() => people(1).mapBatches(GBDTPredictor, { ...onPool(), deterministic: true }));
    refused(() => people(1).mapBatches((batch) => batch, { ...onPool(), deterministic: 'yes' as never }));
  });
});

describe('what an owner tells of checks', () => {
  const post = async (path: string, body: object, token = ADMIN_TOKEN): Promise<Response> =>
    fetch(new URL(`/api/v1/workers/${path}`, coordinator.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });

  it('is taken by the coordinator, in the form that it has', async () => {
    const { workerId, checksPassed } = coordinator.pool.workers()[0]!;
    expect((await post(`${workerId}/checks`, { passed: 4 })).status).toBe(200);
    expect(coordinator.pool.worker(workerId)?.checksPassed).toBe(checksPassed + 4);
    for (const body of [{}, { passed: 0 }, { passed: 1.5 }, { passed: 1e9 }, { passed: 1, more: 1 }])
      expect((await post(`${workerId}/checks`, body)).status).toBe(400);
    for (const body of [{}, { what: '' }, { what: 'x'.repeat(1_001) }, { what: 'x', round: -1 }])
      expect((await post(`${workerId}/lies`, body)).status).toBe(400);
    expect((await post(`${workerId}/lies`, { what: 'it lied' }, coordinator.tokens.join)).status).toBe(401);
    expect(coordinator.moderation.bans()).toEqual([]);
    expect((await post(`${workerId}/lies`, { what: 'it lied', claimed: '1', found: '2' })).status).toBe(201);
    expect(coordinator.moderation.bans()).toMatchObject([
      { value: workerId, reason: 'it lied (claimed 1, found 2)' },
    ]);
    expect(coordinator.pool.worker(workerId)).toBeUndefined();
  });
});
