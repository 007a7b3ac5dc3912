// Groups whose members hold all rows, against groups whose members tell one another sums.

import { afterEach, expect, it } from 'vitest';
import type { TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { RUN, SessionWorld, formGroup, smallRun } from './sessionWorld.ts';
import type { SmallRun } from './sessionWorld.ts';

const ROUNDS = 9;
const SHARDS = 6;
/** Of training and of evaluation. */
const ALL_SHARDS = SHARDS + 1;

const worlds: SessionWorld[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function start(
  members: readonly string[],
  sharesRows: boolean,
  wrap?: (workerId: string, device: TreeDevice) => TreeDevice,
): Promise<{ world: SessionWorld; run: SmallRun }> {
  const world = new SessionWorld();
  worlds.push(world);
  const run = smallRun(world, SHARDS, ROUNDS, sharesRows);
  for (const id of members) world.addWorker(id, (device) => wrap?.(id, device) ?? device);
  await formGroup(world, run, 1, members);
  world.sayAll(members, { type: 'begin', runId: RUN, generation: 1 });
  return { world, run };
}

/** Of a round at most. */
let mostBytesSent = 0;

async function told(world: SessionWorld, from: string, first = 0): Promise<string[]> {
  const rounds: string[] = [];
  mostBytesSent = 0;
  for (let round = first; round < ROUNDS; round += 1) {
    const committed = await world.hear(from, 'committed', (message) => message.round === round);
    const { payloadSha256, metrics, bytesSent } = committed;
    mostBytesSent = Math.max(mostBytesSent, bytesSent);
    rounds.push(JSON.stringify([payloadSha256, metrics]));
  }
  return rounds;
}

it('commits the same bytes as a group that reduces sums, at every member, and sends hardly any', async () => {
  const apart = await told((await start(['w0', 'w1'], false)).world, 'w0');
  for (const size of [1, 2, 3, 4]) {
    const members = Array.from({ length: size }, (_, at) => `w${at}`);
    const { world } = await start(members, true);
    for (const id of members) {
      expect(await told(world, id)).toEqual(apart);
      // An empty frame to each of the others.
      expect(mostBytesSent).toBe((size - 1) * 32);
    }
    // The spec and every shard, once each.
    expect(world.fetched).toHaveLength(size * (1 + ALL_SHARDS));
  }
});

it('misses a member that died, and goes on without it to the same bytes', async () => {
  const expected = await told((await start(['w0'], false)).world, 'w0');
  let trees = 0;
  const { world, run } = await start(['w0', 'w1', 'w2'], true, (id, device) => {
    if (id !== 'w2') return device;
    const dying: TreeDevice = Object.create(device, {
      beginTree: {
        value(round: number, output: number) {
          if (++trees === 3) void world.sessions.get('w2')!.close('it died');
          device.beginTree(round, output);
        },
      },
    }) as TreeDevice;
    return dying;
  });
  const survivors = ['w0', 'w1'];
  for (const id of survivors) {
    expect(await world.hear(id, 'stalled')).toMatchObject({ code: 'PEER_LOST', missing: ['w2'] });
  }
  const halt = {
    type: 'halt',
    runId: RUN,
    generation: 1,
    when: 'now',
    knownRounds: 0,
    reason: 'w2',
  } as const;
  world.sayAll(survivors, halt);
  const answers = await Promise.all(survivors.map((id) => world.hear(id, 'halted')));
  const least = answers.reduce((a, b) => (a.committedRounds < b.committedRounds ? a : b));
  const kept = least.committedRounds;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(ROUNDS);
  await formGroup(
    world,
    run,
    2,
    survivors,
    least.rounds.map((round) => round.payload),
  );
  world.sayAll(survivors, { type: 'begin', runId: RUN, generation: 2 });
  for (const id of survivors) expect(await told(world, id, kept)).toEqual(expected.slice(kept));
});

it('refuses an assignment whose leases are not the training set', async () => {
  const world = new SessionWorld();
  worlds.push(world);
  const run = smallRun(world, SHARDS, ROUNDS, true);
  const members = ['w0', 'w1'];
  for (const id of members) world.addWorker(id);
  const leases = run.leases.filter(({ dataset, index }) => dataset !== 'train' || index !== 4);
  await formGroup(world, { ...run, leases }, 1, members);
  world.sayAll(members, { type: 'begin', runId: RUN, generation: 1 });
  await expect(world.hear('w0', 'failed')).resolves.toMatchObject({
    code: 'BAD_ASSIGNMENT',
    message: expect.stringContaining('have row 2500 of the training set after row 1999') as string,
  });
});
