// Runs in which members lie: who lied is named with what shows it, the model is the honest one, and no honest member is named.

import { beforeAll, describe, expect, it } from 'vitest';
import { lies, type Lie } from './dishonest.ts';
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
});

const proven = (Object.keys(lies) as Lie[]).filter(
  (lie) =>
    ![
      'sends other sums than it tells',
      'says that it got other sums than it did',
      'finds no split in its part',
    ].includes(lie),
);

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
