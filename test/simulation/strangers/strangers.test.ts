// Runs in which members lie: who lied is named with what shows it, the model is the honest one, and no honest member is named.

import { beforeAll, describe, expect, it } from 'vitest';
import type { Lie } from './dishonest.ts';
import { runStrangers, type Strangers } from './strangerSwarm.ts';

const ROUNDS = 14;
let honest: Strangers;

beforeAll(async () => {
  honest = await runStrangers({ members: 4, rounds: ROUNDS, shards: 8 });
});

it('finds nothing where all are honest', () => {
  expect(honest.convicted.size).toBe(0);
  expect(honest.lost.size).toBe(0);
  expect([...honest.checksPassed.values()]).toEqual([ROUNDS, ROUNDS, ROUNDS, ROUNDS]);
  // The metrics that members tell are those of the rows.
  expect(honest.log.filter((line) => line.includes('false'))).toEqual([]);
});

it('makes the same model of rounds that nobody checks', async () => {
  const unchecked = await runStrangers({ members: 3, rounds: ROUNDS, shards: 8, checks: 'never' });
  expect(unchecked.model).toBe(honest.model);
  expect([...unchecked.checksPassed.values()]).toEqual([0, 0, 0]);
});

/** Their own words, or the rows, prove these. */
const proven = [
  'adds one to a cell of its histograms',
  'sends its last histograms again',
  'never adds a tree to half of its rows',
  'sums its part wrongly',
  'contradicts itself',
  'says that it summed other nodes',
] as const satisfies Lie[];

describe.each(proven)('a member that %s', (lie) => {
  it.each([
    ['in one round alone', (round: number) => round === 9],
    ['in every round', () => true],
  ])('%s is named, and the model is the honest one', async (_, lies) => {
    const run = await runStrangers({ members: 4, rounds: ROUNDS, shards: 8, liars: { 2: { lie, lies } } });
    expect([...run.convicted.keys()]).toEqual([run.workerIds[2]]);
    expect(run.model).toBe(honest.model);
    expect([...run.lost.keys()]).toEqual([run.workerIds[2]]);
  });
});

describe.each(['sends other sums than it tells', 'says that it got other sums than it did'] as const)(
  'a member that %s',
  (lie) => {
    it('is named where an owner’s worker is the other, which is believed', async () => {
      const run = await runStrangers({
        members: 3,
        owners: 2,
        rounds: ROUNDS,
        shards: 8,
        liars: { 2: { lie, lies: (round) => round === 5 } },
      });
      expect([...run.convicted.keys()]).toEqual([run.workerIds[2]]);
      expect(run.model).toBe(honest.model);
    });

    it('leaves no trace in the model among strangers, and goes when it contradicts a second one', async () => {
      const liars = { 2: { lie, lies: () => true } };
      const run = await runStrangers({ members: 5, rounds: ROUNDS, shards: 10, liars });
      expect(run.convicted.size).toBe(0);
      expect(run.lost.has(run.workerIds[2]!)).toBe(true);
      const alike = await runStrangers({ members: 2, rounds: ROUNDS, shards: 10 });
      expect(run.model).toBe(alike.model);
    });
  },
);

describe('a member that finds no split in its part', () => {
  it('is named after some rounds', async () => {
    const liars = { 1: { lie: 'finds no split in its part', lies: () => true } } as const;
    const run = await runStrangers({ members: 3, rounds: 40, shards: 8, liars });
    expect([...run.convicted.keys()]).toEqual([run.workerIds[1]]);
    expect(run.convicted.get(run.workerIds[1]!)?.what).toContain('to itself');
  });
});

describe('two in league', () => {
  it('of whom one sends false sums, and the other searches them, leave no trace in the model', async () => {
    const when = (round: number): boolean => round >= 4;
    const liars = {
      0: { lie: 'covers for another', lies: when },
      3: { lie: 'sends far other sums than it tells', lies: when },
    } as const;
    const run = await runStrangers({ members: 5, rounds: ROUNDS, shards: 8, liars });
    expect(run.convicted.get(run.workerIds[0]!)?.what).toMatch(/does not follow from the rows|can not be/);
    expect(run.model).toBe(honest.model);
    const named = [run.workerIds[0], run.workerIds[3]];
    expect([...run.convicted.keys()].filter((workerId) => !named.includes(workerId))).toEqual([]);
  });
});

describe('members in league', () => {
  it.each([
    'says that it summed a tree that there is not',
    'says that it summed a limb that there is not',
  ] as const)('of whom each %s can not end the run, nor outvote the rows', async (lie) => {
    const liars = Object.fromEntries([0, 2].map((place) => [place, { lie, lies: (r: number) => r === 5 }]));
    const run = await runStrangers({ members: 3, rounds: ROUNDS, shards: 8, liars });
    expect(new Set(run.convicted.keys())).toEqual(new Set([run.workerIds[0], run.workerIds[2]]));
    expect(run.model).toBe(honest.model);
  });

  it.each([
    ['one of two who search', { members: 3, features: 2, liars: [0] }],
    ['two of three who search', { members: 6, features: 3, liars: [0, 2] }],
  ])('%s can not frame the other by what they tell of the root', async (_, { liars, ...options }) => {
    const alike = await runStrangers({ ...options, rounds: ROUNDS, shards: 12 });
    const lies = Object.fromEntries(
      liars.map((place) => [place, { lie: 'tells of another root', lies: (r: number) => r === 5 } as const]),
    );
    const run = await runStrangers({ ...options, rounds: ROUNDS, shards: 12, liars: lies });
    expect(new Set(run.convicted.keys())).toEqual(new Set(liars.map((place) => run.workerIds[place])));
    expect(run.model).toBe(alike.model);
  });
});

describe('members that each hold all rows', () => {
  const alone = { members: 3, rounds: 40, shards: 4, sharesRows: true };

  it('of whom two make the same false trees do not outvote the rows', async () => {
    const alike = await runStrangers(alone);
    expect(alike.convicted.size).toBe(0);
    expect(alike.lost.size).toBe(0);
    const lies = { lie: 'adds much to a cell of its histograms', lies: () => true } as const;
    const run = await runStrangers({ ...alone, liars: { 0: lies, 2: lies } });
    expect(run.model).toBe(alike.model);
    expect(new Set(run.convicted.keys())).toEqual(new Set([run.workerIds[0], run.workerIds[2]]));
  });
});

describe('honest members', () => {
  it('are never named, over many rounds', async () => {
    const run = await runStrangers({ members: 3, owners: 1, rounds: 120, shards: 6 });
    expect(run.convicted.size).toBe(0);
    expect(run.lost.size).toBe(0);
  });
});
