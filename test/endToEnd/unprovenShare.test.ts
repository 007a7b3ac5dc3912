// Strangers beside a worker of the owner's: together they hold no more of a run than the owner allows, until they are proven.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProgressEvent } from '../../coordinator/progress/progressEvent.ts';
import { Swarm, flights } from './swarm.ts';

let swarm: Swarm;
beforeAll(async () => {
  swarm = await Swarm.start({ maxUnprovenShare: 0.5 });
});
afterAll(() => swarm.close());

it('a run waits for a worker of the owner, leaves strangers half of the rows, and proven ones more', async () => {
  const { pool } = swarm.coordinator;
  const strangers = await swarm.add('node', 'cpu', 3, true, 'join');
  // Six shards.
  const datasets = { train: await flights(400_000).materialize() };
  const seen: ProgressEvent[] = [];
  let adding: Promise<unknown> | undefined;
  const onEvent = (event: ProgressEvent): void => {
    seen.push(event);
    if (event.type === 'waiting') adding ??= swarm.add('node');
  };
  const limited = await swarm.train({ datasets, numBoostRound: 2 }, [2, 4], onEvent);
  await adding;
  expect(seen.find(({ type }) => type === 'waiting')).toMatchObject({
    reason: expect.stringContaining(
      '3 unproven, which may hold 50 % of the rows, and none of the owner',
    ) as string,
  });
  const groups = (events: readonly ProgressEvent[]): Map<string, number>[] =>
    events.flatMap((event) =>
      event.type === 'group' ? [new Map(event.workers.map(({ workerId, rows }) => [workerId, rows]))] : [],
    );
  const ids = strangers.map(({ workerId }) => workerId);
  const heldByStrangers = (group: Map<string, number>): number =>
    ids.reduce((rows, workerId) => rows + (group.get(workerId) ?? 0), 0);
  expect(groups(limited.events).length).toBeGreaterThan(0);
  for (const group of groups(limited.events)) {
    const all = [...group.values()].reduce((sum, rows) => sum + rows, 0);
    expect(all).toBe(400_000);
    // Shards have one number of rows, but the last.
    expect(heldByStrangers(group)).toBeLessThanOrEqual(3 * 70_000);
    expect(heldByStrangers(group)).toBeGreaterThan(0);
  }
  for (const workerId of ids) pool.passCheck(workerId, 10);
  const proven = await swarm.train({ datasets, numBoostRound: 2 }, 4);
  expect(heldByStrangers(groups(proven.events)[0]!)).toBeGreaterThan(220_000);
  expect(proven.modelText).toBe(limited.modelText);
});
