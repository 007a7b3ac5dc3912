// Strangers in real runs: Node processes that joined by the link, one of which lies in one way or another. Who lied is named and
// banned, and the model is the honest one, byte for byte.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../coordinator/data/dataset.ts';
import type { Lie } from '../simulation/strangers/dishonest.ts';
import { sampled } from '../setup/longRun.ts';
import { Strangers } from './strangers.ts';
import { flights, Swarm, type Trained } from './swarm.ts';

const ROWS = 300_000;
const ROUNDS = 12;

let swarm: Swarm;
let train: Dataset;
let alone: Trained;
let strangers: Strangers;

/** A Node worker that tells a lie (fixtures/dishonestWorker.ts). @returns its id. */
const addLiar = (lie: string, settings: Readonly<Record<string, string>> = {}): Promise<string> =>
  strangers.add({ preload: 'dishonestWorker', isFromSource: true, env: { ...settings, LIE: lie } });

const reasons = ({ events }: Trained): [string, string][] =>
  events.flatMap((event): [string, string][] =>
    event.type === 'workerLost' ? [[event.workerId, event.reason]] : [],
  );

beforeAll(async () => {
  swarm = await Swarm.start();
  strangers = new Strangers(swarm.coordinator);
  train = await flights(ROWS).materialize();
  await swarm.add('node');
  alone = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, 1);
  await swarm.dismiss();
});
afterEach(() => Promise.all([strangers.dismiss(), swarm.dismiss()]));
afterAll(() => swarm.close());

describe('strangers', () => {
  it('who are honest make the model of the owner alone, and nobody is accused', async () => {
    await swarm.add('node', 'cpu', 3, true, 'join');
    const trained = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, 3);
    expect(trained.modelText).toBe(alone.modelText);
    expect(reasons(trained)).toEqual([]);
    const passed = swarm.coordinator.pool.workers().map(({ checksPassed }) => checksPassed);
    expect(passed).toEqual([ROUNDS, ROUNDS, ROUNDS]);
  });

  it('in a tab and in Deno pass their checks too', async () => {
    await swarm.add('browser', 'cpu', 1, true, 'join');
    await swarm.add('deno', 'cpu', 1, true, 'join');
    const trained = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, 2);
    expect(trained.modelText).toBe(alone.modelText);
    expect(swarm.coordinator.pool.workers().map(({ checksPassed }) => checksPassed)).toEqual([
      ROUNDS,
      ROUNDS,
    ]);
  });

  it('who are lost in the middle leave rounds that are checked without their word', async () => {
    const workers = await swarm.add('node', 'cpu', 3, true, 'join');
    let isKilled = false;
    const trained = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, [2, 3], (event) => {
      if (event.type !== 'round' || isKilled) return;
      isKilled = true;
      void workers[1]!.kill();
    });
    expect(trained.modelText).toBe(alone.modelText);
    expect(swarm.coordinator.moderation.bans()).toEqual([]);
  });

  it('who answer no check are done without', async () => {
    await swarm.add('node', 'cpu', 2, true, 'join');
    const liar = await addLiar('answers checks with nothing');
    const trained = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, [2, 3]);
    expect(trained.modelText).toBe(alone.modelText);
    expect(swarm.coordinator.pool.worker(liar)?.checksPassed ?? 0).toBe(0);
  });

  it.each(
    sampled<[Lie, Readonly<Record<string, string>>, string]>(
      [
        [
          'adds one to a cell of its histograms',
          { FIRST: '5', EVERY: '20' },
          'its sums are not those of its rows',
        ],
        [
          'never adds a tree to half of its rows',
          { FIRST: '3', EVERY: '20' },
          'its sums are not those of its rows',
        ],
        ['sums its part wrongly', { FIRST: '4', EVERY: '20' }, ''],
        ['contradicts itself', {}, 'what it says of its sums contradicts itself'],
      ],
      3,
    ),
  )('of whom one %s lose that one, and the model is the honest one', async (lie, settings, reason) => {
    await swarm.add('node', 'cpu', 2, true, 'join');
    const liar = await addLiar(lie, settings);
    const trained = await swarm.train({ datasets: { train }, numBoostRound: ROUNDS }, [2, 3]);
    expect(trained.modelText).toBe(alone.modelText);
    expect(trained.result.metrics).toEqual(alone.result.metrics);
    expect(reasons(trained).map(([workerId]) => workerId)).toEqual([liar]);
    expect(reasons(trained)[0]![1]).toContain(reason);
    const [ban] = swarm.coordinator.moderation.bans().filter(({ value }) => value === liar);
    expect(ban?.reason).toContain(reason);
  });
});
