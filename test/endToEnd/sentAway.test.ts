// A worker is sent away in the middle of a run: the others finish it, to the same model, and it ends by itself.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalWorker } from '../../coordinator/options/localWorker.ts';
import { Swarm, flights } from './swarm.ts';

let swarm: Swarm;
beforeAll(async () => {
  swarm = await Swarm.start();
});
afterAll(() => swarm.close());

it.each([
  ['a Node worker', 'node'],
  ['a tab', 'browser'],
] as const)('%s that is banned in the middle of a run is gone, and the run goes on', async (_, runtime) => {
  const datasets = { train: await flights(60_000).materialize() };
  await swarm.add('node', 'cpu', 2);
  const alone = await swarm.train({ datasets, numBoostRound: 8 }, 2);
  const [unwanted] = (await swarm.add(runtime)) as [LocalWorker];
  let removing: Promise<unknown> | undefined;
  const trained = await swarm.train({ datasets, numBoostRound: 8 }, [2, 3], (event) => {
    if (event.type !== 'round' || event.committed.round !== 1) return;
    const removal = { ban: 'worker', reason: 'not yours' } as const;
    removing ??= swarm.coordinator.moderation.remove(unwanted.workerId, removal);
  });
  expect(await removing).toMatchObject({ removed: [unwanted.workerId] });
  expect(trained.modelText).toBe(alone.modelText);
  const lost = trained.events.filter((event) => event.type === 'workerLost');
  expect(lost).toMatchObject([{ workerId: unwanted.workerId, reason: 'sent away: not yours' }]);
  const [first, second] = trained.events.flatMap((event) =>
    event.type === 'group' ? [event.workers.map(({ workerId }) => workerId)] : [],
  );
  expect(first).toContain(unwanted.workerId);
  expect(second).not.toContain(unwanted.workerId);
  // It ends of its own accord, as it was told.
  expect(await unwanted.ended).toBe(runtime === 'node' ? 'exit code 0' : 'the tab was closed');
  expect(swarm.coordinator.pool.workers()).toHaveLength(2);
  await swarm.dismiss();
});
