// Batch prediction by strangers over real sockets: what they answer is computed again now and then, liars are banned with the
// evidence, and what they said is made again.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import type { Dataset } from '../../../coordinator/data/dataset.ts';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import type { PoolStatus } from '../../../coordinator/data/operators/poolStatus.ts';
import { GBDTPredictor } from '../../../coordinator/predict/gbdtPredictor.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { handMadeVolunteer, type Volunteer } from '../program/handMadeVolunteer.ts';
import { offByABit } from '../program/offByABit.ts';
import { flights, makeServedModels, oracleColumns, type ServedModels } from '../serve/servedModels.ts';

const ROWS = 1_200;
const ADMIN_TOKEN = 'the-admin-token-of-this-test';

let models: ServedModels;
let coordinator: Coordinator;
const volunteers: Volunteer[] = [];
beforeAll(() => {
  models = makeServedModels();
});
afterEach(async () => {
  await Promise.all(volunteers.splice(0).map((volunteer) => volunteer[Symbol.asyncDispose]()));
  await coordinator.close();
});
afterAll(() => models.remove());

async function start(): Promise<void> {
  coordinator = await startCoordinator({
    port: 0,
    graceMs: 500,
    adminToken: ADMIN_TOKEN,
    log: () => undefined,
  });
}

async function add(lie?: Parameters<typeof handMadeVolunteer>[1]): Promise<Volunteer> {
  const volunteer = await handMadeVolunteer(coordinator, lie);
  volunteers.push(volunteer);
  return volunteer;
}

const rows = flights(ROWS).map((row, id) => ({ id, ...row }));
const expected = (): object[] => {
  const values = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), ROWS);
  return rows.map(({ id }) => ({ id, predictions: values[id]! }));
};

let last: PoolStatus | undefined;
function predicted(concurrency: number): Dataset {
  return fromItems(rows).mapBatches(GBDTPredictor, {
    batchSize: 10,
    concurrency,
    fnConstructorArgs: [models.late.checkpoint, { keepColumns: ['id'] }],
    scalingConfig: { url: coordinator.url, token: ADMIN_TOKEN },
    onStatus: (status) => (last = status),
  });
}

const bansOf = (workerId: string): string[] =>
  coordinator.moderation
    .bans()
    .filter(({ value }) => value === workerId)
    .map(({ reason }) => reason);

describe('a volunteer', () => {
  it('that is off by a bit is banned with the evidence, and none of its predictions is given on', async () => {
    await start();
    await Promise.all([add(), add()]);
    const liar = await add((right) => offByABit(right));
    expect(await predicted(3).takeAll(ROWS)).toEqual(expected());
    expect(last?.checks.liars).toEqual([liar.workerId]);
    expect(last?.checks.rowsGivenOn).toBe(0);
    const [reason, ...others] = bansOf(liar.workerId);
    expect(reason).toMatch(
      /^mapBatches GBDTPredictor: of batch \d+ \(rows \d+ to \d+\) it said what is not so, in row 0 of column "predictions" \(claimed [\d.e-]+, found [\d.e-]+\)$/,
    );
    expect(others).toEqual([]);
    expect(coordinator.pool.worker(liar.workerId)).toBeUndefined();
  });

  it.each([1, 2, 3])(
    'that lies now and then is banned, and what it said since its last good check is made again (seed %d)',
    async (seed) => {
      await start();
      await Promise.all([add(), add()]);
      const random = seededRandom(seed);
      const liar = await add((right) => (random() < 0.25 ? offByABit(right) : right));
      const found = (await predicted(3).takeAll(ROWS)) as { predictions: number }[];
      const wanted = expected() as { predictions: number }[];
      expect(found).toHaveLength(ROWS);
      const wrong = found.filter(({ predictions }, row) => predictions !== wanted[row]!.predictions).length;
      expect(last?.checks.liars).toEqual([liar.workerId]);
      // Each wrong row stands for a batch of ten that a check had spoken for too early.
      expect(wrong * 10).toBeLessThanOrEqual(last!.checks.rowsGivenOn);
      expect(bansOf(liar.workerId)).toHaveLength(1);
    },
  );

  it('that stands up for another liar does not save it, and is banned as well', async () => {
    await start();
    await add();
    const pair = await Promise.all([1, 2].map(() => add((right) => offByABit(right))));
    const found = (await predicted(3).takeAll(ROWS)) as { predictions: number }[];
    const wanted = expected() as { predictions: number }[];
    const wrong = found.filter(({ predictions }, row) => predictions !== wanted[row]!.predictions).length;
    expect(new Set(last?.checks.liars)).toEqual(new Set(pair.map(({ workerId }) => workerId)));
    expect(wrong * 10).toBeLessThanOrEqual(last!.checks.rowsGivenOn);
    expect(coordinator.moderation.bans()).toHaveLength(2);
  });

  it('that is gone before its check is checked all the same', async () => {
    await start();
    await add();
    let answers = 0;
    // The socket is closed in place of an answer.
    const liar = await add((right) => (++answers > 2 ? undefined : offByABit(right)));
    expect(await predicted(2).takeAll(ROWS)).toEqual(expected());
    expect(bansOf(liar.workerId)).toHaveLength(1);
  });

  it('that is alone is checked by the process of the owner', async () => {
    await start();
    const only = await add();
    expect(await predicted(1).takeAll(ROWS)).toEqual(expected());
    expect(last!.checks.batches).toBeGreaterThan(10);
    expect(last!.checks.liars).toEqual([]);
    expect(coordinator.pool.worker(only.workerId)?.checksPassed).toBe(last!.checks.batches);
  });

  it("is checked by the owner's worker where there is one, which is not checked itself", async () => {
    await start();
    const local = await startLocalWorkers({
      url: coordinator.url,
      token: coordinator.tokens.local,
      count: 1,
      runtime: 'node',
      device: 'cpu',
    });
    try {
      const stranger = await add();
      const { calls } = stranger;
      expect(await predicted(2).takeAll(ROWS)).toEqual(expected());
      expect(last!.checks.liars).toEqual([]);
      const own = coordinator.pool.workers().find(({ isOwners }) => isOwners)!;
      expect(own.checksPassed).toBe(0);
      expect(coordinator.pool.worker(stranger.workerId)?.checksPassed).toBe(last!.checks.batches);
      // No check of its own work, and of the owner's none, went to the stranger.
      expect((stranger.calls - calls) * 10).toBe(last!.rows.get(stranger.workerId));
    } finally {
      await local.stop();
    }
  });
});
