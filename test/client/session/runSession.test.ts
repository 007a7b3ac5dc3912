import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TreeDevice } from '../../../kernels/gbdt/treeDevice.ts';
import { eventTurn } from '../../../kernels/eventTurn.ts';
import { deferred } from '../../../shared/deferred.ts';
import { treesSha256 } from '../../simulation/simulatedTree.ts';
import type { SmallRun } from './sessionWorld.ts';
import { RUN, SessionWorld, formGroup, linkKeysOf, smallRun } from './sessionWorld.ts';

const ROUNDS = 4;
/** Of a group that has committed nothing and whose members are not met. */
const atStart = { committedRounds: 0, payloads: null, members: [] };
const SHARDS = 6;

let world: SessionWorld;
let run: SmallRun;

beforeEach(() => {
  world = new SessionWorld();
  run = smallRun(world, SHARDS, ROUNDS);
});
afterEach(() => world.close());

/** Rounds as rank 0 reports them, JSON text. */
async function record(from: string, first: number, end: number): Promise<string[]> {
  const rounds: string[] = [];
  for (let round = first; round < end; round += 1) {
    const committed = await world.hear(from, 'committed', (message) => message.round === round);
    rounds.push(JSON.stringify([committed.payload, committed.metrics]));
  }
  return rounds;
}

async function undisturbed(size: number): Promise<string[]> {
  const other = new SessionWorld();
  const outer = world;
  world = other;
  try {
    const same = smallRun(other, SHARDS, ROUNDS);
    const members = Array.from({ length: size }, (_, at) => `w${at}`);
    members.forEach((workerId) => other.addWorker(workerId));
    await formGroup(other, same, 1, members);
    other.sayAll(members, { type: 'begin', runId: RUN, generation: 1 });
    return await record('w0', 0, ROUNDS);
  } finally {
    await other.close();
    world = outer;
  }
}

describe('A worker session', () => {
  it('reports the same trees and metrics to the last byte for 1, 2, 3 and 4 workers', async () => {
    const alone = await undisturbed(1);
    expect(alone).toHaveLength(ROUNDS);
    const [trees, metrics] = JSON.parse(alone[ROUNDS - 1]!) as [{ left: number[] }[], Record<string, number>];
    expect(trees[0]!.left.length).toBeGreaterThan(10);
    expect(metrics['valid-auc']).toBeGreaterThan(0.8);
    for (const size of [2, 3, 4]) expect(await undisturbed(size)).toEqual(alone);
  });

  it('tells at every member the hash of the trees that the first sends, and its metrics', async () => {
    const members = ['w0', 'w1', 'w2'];
    members.forEach((workerId) => world.addWorker(workerId));
    await formGroup(world, run, 1, members);
    world.sayAll(members, { type: 'begin', runId: RUN, generation: 1 });
    for (let round = 0; round < ROUNDS; round += 1) {
      const told = await Promise.all(
        members.map((workerId) => world.hear(workerId, 'committed', (message) => message.round === round)),
      );
      const { payload, metrics } = told[0]!;
      const expected = { payloadSha256: treesSha256(payload!), metrics };
      expect(told.map(({ payloadSha256, metrics }) => ({ payloadSha256, metrics }))).toEqual(
        members.map(() => expected),
      );
      expect(told.map((message) => message.payload !== undefined)).toEqual([true, false, false]);
    }
  });

  it('blames the other one when sums are spoilt, and does not fail itself', async () => {
    world.addWorker('w0');
    world.addWorker('w1', (device) => ({
      ...methods(device),
      buildHistograms: async (nodes) => (await device.buildHistograms(nodes)).map((sum) => sum + 0.25),
    }));
    await formGroup(world, run, 1, ['w0', 'w1']);
    world.sayAll(['w0', 'w1'], { type: 'begin', runId: RUN, generation: 1 });
    const stalled = await world.hear('w0', 'stalled');
    expect(stalled).toMatchObject({ code: 'PEER_MESSAGE_INVALID', missing: ['w1'] });
    expect(stalled.message).toMatch(/expected whole numbers$/);
  });

  it('goes on with the rows of a member that died in the middle of a round, and ends with the same bytes', async () => {
    const expected = await undisturbed(3);
    ['w0', 'w1', 'w2'].forEach((workerId) =>
      world.addWorker(workerId, dieOnHistogram(workerId === 'w2' ? 8 : -1)),
    );
    await formGroup(world, run, 1, ['w0', 'w1', 'w2']);
    world.sayAll(['w0', 'w1', 'w2'], { type: 'begin', runId: RUN, generation: 1 });
    const done = JSON.parse((await record('w0', 0, 1))[0]!) as [unknown[], unknown];
    expect(JSON.stringify(done)).toBe(expected[0]);

    const survivors = ['w0', 'w1'];
    for (const workerId of survivors) {
      const stalled = await world.hear(workerId, 'stalled');
      expect(stalled).toMatchObject({ code: 'PEER_LOST', missing: ['w2'] });
    }
    world.sayAll(survivors, {
      type: 'halt',
      runId: RUN,
      generation: 1,
      when: 'now',
      knownRounds: 1,
      reason: 'w2 is gone',
    });
    for (const workerId of survivors) {
      expect(await world.hear(workerId, 'halted')).toMatchObject({ committedRounds: 1, rounds: [] });
    }
    await formGroup(world, run, 2, survivors, [done[0]]);
    world.sayAll(survivors, { type: 'begin', runId: RUN, generation: 2 });
    expect(await record('w0', 1, ROUNDS)).toEqual(expected.slice(1));
  });

  it('lets a newcomer in at a commit, after the group halted at the round that was asked for', async () => {
    const expected = await undisturbed(2);
    ['w0', 'w1', 'w2'].forEach((workerId) => world.addWorker(workerId));
    await formGroup(world, run, 1, ['w0', 'w1']);
    world.sayAll(['w0', 'w1'], { type: 'begin', runId: RUN, generation: 1 });
    world.sayAll(['w0', 'w1'], {
      type: 'halt',
      runId: RUN,
      generation: 1,
      when: 'commit',
      atRounds: 2,
      knownRounds: 0,
      reason: 'w2 joins',
    });
    const halted = await Promise.all(['w0', 'w1'].map((workerId) => world.hear(workerId, 'halted')));
    for (const answer of halted) {
      expect(answer.committedRounds).toBe(2);
      const rounds = answer.rounds.map((round) => JSON.stringify([round.payload, round.metrics]));
      expect(rounds).toEqual(expected.slice(0, 2));
    }
    const trees = halted[0]!.rounds.map((round) => round.payload);
    await formGroup(world, run, 2, ['w2', 'w0', 'w1'], trees);
    world.sayAll(['w0', 'w1', 'w2'], { type: 'begin', runId: RUN, generation: 2 });
    expect(await record('w2', 2, ROUNDS)).toEqual(expected.slice(2));
  });

  it('loads for a place before it has one, so that the place costs no fetching', async () => {
    const expected = await undisturbed(2);
    ['w0', 'w1'].forEach((workerId) => world.addWorker(workerId));
    await formGroup(world, run, 1, ['w0']);
    const leases = run.leases.filter((lease) => lease.index % 2 === 1);
    world.fetched.length = 0;
    world.say('w1', { type: 'prepare', runId: RUN, generation: 1, spec: run.specHash, leases, ...atStart });
    expect(await world.hear('w1', 'prepared')).toEqual({ type: 'prepared', runId: RUN, generation: 1 });
    expect(world.fetched.sort()).toEqual([run.specHash, ...leases.map(({ sha256 }) => sha256)].sort());
    world.say('w0', {
      type: 'halt',
      runId: RUN,
      generation: 1,
      when: 'now',
      knownRounds: 0,
      reason: 'w1 joins',
    });
    await world.hear('w0', 'halted');
    world.fetched.length = 0;
    await formGroup(world, run, 2, ['w0', 'w1']);
    expect(world.fetched).toEqual([]);
    world.sayAll(['w0', 'w1'], { type: 'begin', runId: RUN, generation: 2 });
    expect(await record('w0', 0, ROUNDS)).toEqual(expected);
  });

  it('brings what it loads for a place to the committed rounds, and meets the members', async () => {
    const expected = await undisturbed(1);
    ['w0', 'w1'].forEach((workerId) => world.addWorker(workerId));
    await formGroup(world, run, 1, ['w0']);
    const halt = { type: 'halt', runId: RUN, generation: 1, when: 'commit', knownRounds: 0 } as const;
    world.say('w0', { type: 'begin', runId: RUN, generation: 1 });
    world.say('w0', { ...halt, atRounds: 2, reason: 'w1 joins' });
    const { rounds } = await world.hear('w0', 'halted');
    const trees = rounds.map((round) => round.payload);
    const leases = run.leases.filter((lease) => lease.index % 2 === 1);
    world.say('w1', {
      type: 'prepare',
      runId: RUN,
      generation: 1,
      spec: run.specHash,
      leases,
      committedRounds: 2,
      payloads: world.putJson(trees),
      members: [{ workerId: 'w0', peerId: 'w0', linkKey: 'k'.repeat(32) }],
    });
    expect(await world.hear('w1', 'prepared')).not.toHaveProperty('error');
    expect(world.met).toEqual([[`${RUN}/1/newcomers`, 'w1', 'w0']]);
    world.say('w0', {
      type: 'meet',
      runId: RUN,
      generation: 1,
      newcomers: [{ workerId: 'w1', peerId: 'w1', linkKey: 'k'.repeat(32) }],
    });
    expect(world.met).toEqual([
      [`${RUN}/1/newcomers`, 'w1', 'w0'],
      [`${RUN}/1/newcomers`, 'w0', 'w1'],
    ]);
    let applied = 0;
    const device = world.devices.get('w1')!;
    const apply = device.applyTrees.bind(device);
    device.applyTrees = (blocks, one) => {
      applied += 1;
      apply(blocks, one);
    };
    await formGroup(world, run, 2, ['w0', 'w1'], trees);
    expect(applied).toBe(0);
    world.sayAll(['w0', 'w1'], { type: 'begin', runId: RUN, generation: 2 });
    expect(await record('w0', 2, ROUNDS)).toEqual(expected.slice(2));
  });

  it('takes its place in the middle of loading for it', async () => {
    const expected = await undisturbed(2);
    ['w0', 'w1'].forEach((workerId) => world.addWorker(workerId));
    world.say('w1', {
      type: 'prepare',
      runId: RUN,
      generation: 1,
      spec: run.specHash,
      leases: [...run.leases],
      ...atStart,
    });
    await formGroup(world, run, 2, ['w0', 'w1']);
    world.sayAll(['w0', 'w1'], { type: 'begin', runId: RUN, generation: 2 });
    expect(await record('w0', 0, ROUNDS)).toEqual(expected);
  });

  it('says what it could not load for a place, and loads it when it is asked again', async () => {
    world.addWorker('w1');
    const prepare = {
      type: 'prepare' as const,
      runId: RUN,
      generation: 1,
      spec: run.specHash,
      leases: [...run.leases],
      ...atStart,
    };
    const { sha256 } = run.leases[3]!;
    const bytes = world.blobs.get(sha256)!;
    world.blobs.delete(sha256);
    world.say('w1', prepare);
    expect(await world.hear('w1', 'prepared')).toEqual({
      type: 'prepared',
      runId: RUN,
      generation: 1,
      error: { code: 'BLOB_UNAVAILABLE', message: `there is no blob ${sha256}` },
    });
    world.put(bytes);
    world.say('w1', prepare);
    expect(await world.hear('w1', 'prepared')).not.toHaveProperty('error');
  });

  it('does not complain of what it could not load when it has a place instead', async () => {
    world.addWorker('w1');
    const { specHash, leases } = run;
    world.held.set(leases[0]!.sha256, new Promise<never>(() => undefined));
    world.say('w1', {
      type: 'prepare',
      runId: RUN,
      generation: 1,
      spec: specHash,
      leases: [...leases],
      ...atStart,
    });
    while (!world.fetched.includes(leases[0]!.sha256)) await eventTurn();
    world.held.clear();
    await formGroup(world, run, 2, ['w1']);
    expect(world.heard('w1').map(({ type }) => type)).not.toContain('prepared');
  });

  it('names the member that it was waiting for when it has to halt', async () => {
    const asked = new Set<string>();
    const stuck = deferred<never>();
    stuck.promise.catch(() => undefined);
    for (const workerId of ['w0', 'w1', 'w2'])
      world.addWorker(workerId, (device) => ({
        ...methods(device),
        buildHistograms: (nodes) => {
          asked.add(workerId);
          return workerId === 'w2' ? stuck.promise : device.buildHistograms(nodes);
        },
      }));
    await formGroup(world, run, 1, ['w0', 'w1', 'w2']);
    world.sayAll(['w0', 'w1', 'w2'], { type: 'begin', runId: RUN, generation: 1 });
    while (asked.size < 3) await eventTurn();
    // Their own work, and what they have to say to one another.
    for (let turn = 0; turn < 50; turn += 1) await eventTurn();
    const halt = { type: 'halt', runId: RUN, generation: 1, when: 'now', knownRounds: 0 } as const;
    world.sayAll(['w0', 'w1'], { ...halt, reason: 'no round' });
    for (const workerId of ['w0', 'w1'])
      expect(await world.hear(workerId, 'halted')).toMatchObject({ missing: ['w2'] });
    stuck.reject(new Error('the test is over'));
    world.onLog = () => undefined;
  });

  it('reports a lost device as a stall that blames nobody, and comes back with a new device', async () => {
    const expected = await undisturbed(1);
    let lose: (reason: string) => void = () => undefined;
    let first = true;
    world.addWorker('w0', (device) => {
      if (!first) return device;
      first = false;
      const lost = new Promise<string>((resolve) => (lose = resolve));
      return {
        ...methods(device),
        lost,
        buildHistograms: () => lost.then(() => Promise.reject(new Error('gone'))),
      };
    });
    await formGroup(world, run, 1, ['w0']);
    world.say('w0', { type: 'begin', runId: RUN, generation: 1 });
    lose('the driver was reset');
    const stalled = await world.hear('w0', 'stalled');
    expect(stalled).toMatchObject({ code: 'DEVICE_LOST', missing: [] });
    expect(stalled.message).toContain('the driver was reset');
    expect(world.lostDevices).toEqual([stalled.message]);
    await formGroup(world, run, 2, ['w0']);
    world.say('w0', { type: 'begin', runId: RUN, generation: 2 });
    expect(await record('w0', 0, ROUNDS)).toEqual(expected);
  });

  it('frees the device on release and answers a later halt as one who knows nothing of the run', async () => {
    world.addWorker('w0');
    await formGroup(world, run, 1, ['w0']);
    world.say('w0', { type: 'release', runId: RUN, reason: 'stopped', outcome: 'stopped' });
    world.say('w0', { type: 'halt', runId: RUN, generation: 1, when: 'now', knownRounds: 0, reason: 'late' });
    expect(await world.hear('w0', 'halted')).toMatchObject({ committedRounds: 0, rounds: [] });
    expect(() => world.devices.get('w0')!.beginTree(0, 0)).toThrow(/closed/);
    expect(world.statuses.get('w0')).toEqual({
      state: 'idle',
      ended: { runId: RUN, outcome: 'stopped' },
    });
  });

  it('fails with the place of the contradiction when a shard is not what the lease says', async () => {
    world.addWorker('w0');
    const wrong = { ...run.leases[1]!, index: 0, firstRow: 0 };
    world.say('w0', {
      type: 'assign',
      runId: RUN,
      generation: 1,
      rank: 0,
      members: [{ rank: 0, workerId: 'w0', peerId: 'w0' }],
      linkKeys: {},
      leases: [wrong],
      spec: run.specHash,
      stateHolders: [],
      committedRounds: 0,
      payloads: null,
    });
    const failed = await world.hear('w0', 'failed');
    expect(failed.code).toBe('BAD_ASSIGNMENT');
    expect(failed.message).toContain('shard 0 of "train" holds rows 500..999, the lease says 0..499');
  });

  it('fails before it loads anything when it has no key for the link to a member', async () => {
    world.addWorker('w0');
    const members = ['w0', 'w1'].map((workerId, rank) => ({ rank, workerId, peerId: workerId }));
    const place = { runId: RUN, generation: 1, rank: 0, members, linkKeys: linkKeysOf(['w0']) };
    world.say('w0', {
      type: 'assign',
      ...place,
      leases: [...run.leases],
      spec: run.specHash,
      stateHolders: [],
      committedRounds: 0,
      payloads: null,
    });
    expect(await world.hear('w0', 'failed')).toMatchObject({
      code: 'BAD_ASSIGNMENT',
      message: `Generation 1 of run ${RUN} has no key for the link to member w1.`,
    });
    expect(world.devices.size).toBe(0);
  });
});

/** A device whose worker is killed when it is asked for its nth histogram. */
function dieOnHistogram(nth: number): (device: TreeDevice) => TreeDevice {
  let calls = 0;
  return (device) => ({
    ...methods(device),
    buildHistograms: (nodes) => {
      calls += 1;
      if (calls !== nth) return device.buildHistograms(nodes);
      world.kill('w2');
      return new Promise<never>(() => undefined);
    },
  });
}

/** A plain object with the device's methods bound, to override some. */
function methods(device: TreeDevice): TreeDevice {
  return {
    description: device.description,
    lost: device.lost,
    load: (block, role) => device.load(block, role),
    unload: (block) => device.unload(block),
    beginTree: (round, output) => device.beginTree(round, output),
    buildHistograms: (nodes) => device.buildHistograms(nodes),
    applySplits: (splits) => device.applySplits(splits),
    applyTrees: (blocks, trees) => device.applyTrees(blocks, trees),
    readMargins: (block) => device.readMargins(block),
    close: () => device.close(),
  };
}
