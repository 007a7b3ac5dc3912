// Whole lives of runs in which members lie to the coordinator. simulateRun checks in every life that each recorded round was
// really made by a group, and that no honest worker is taken for a liar.

import { describe, expect, it } from 'vitest';
import { calm, lost } from './calmLife.ts';
import { lies, type Lie } from './lies.ts';
import { simulateRun } from './simulateRun.ts';

const SEEDS = 8;

const isMatter = (name: string): boolean => !['keeps its trees', 'says nothing of its rounds'].includes(name);

describe.each(Object.entries(lies) as [string, Lie][])('a member that %s', (name, lie) => {
  it('costs the others some time, and nothing else', async () => {
    let named = 0;
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const liar = `w${1 + (seed % 5)}`;
      const life = await simulateRun(seed, { ...calm, liars: { [liar]: lie } });
      expect(life.outcome.rounds).toHaveLength(30);
      // The longest wait is for what a first rank never tells.
      expect(life.virtualMs).toBeLessThan(60_000);
      expect(lost(life).filter((workerId) => workerId !== liar)).toEqual([]);
      if (lost(life).includes(liar)) named += 1;
    }
    if (isMatter(name)) expect(named).toBeGreaterThan(0);
  });
});

describe('several liars', () => {
  it.each(['forges trees', 'forges metrics', 'claims more when it halts'] as const)(
    'of whom each %s are all found by a majority of honest members',
    async (name) => {
      for (let seed = 0; seed < SEEDS; seed += 1) {
        const liars = { w1: lies[name], w4: lies[name] };
        const life = await simulateRun(seed, { ...calm, min: 5, liars });
        expect(life.outcome.rounds).toHaveLength(30);
        expect(lost(life).filter((workerId) => workerId !== 'w1' && workerId !== 'w4')).toEqual([]);
      }
    },
  );

  it('give way to others together with the honest one that they face, where two differ', async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const life = await simulateRun(seed, {
        ...calm,
        min: 2,
        max: 2,
        firstWorkers: 2,
        chaosMs: 8_000,
        liars: { w2: lies['forges trees'] },
        mayBlame: ['w1'],
      });
      expect(life.outcome.rounds).toHaveLength(30);
      expect(lost(life).sort()).toEqual(['w1', 'w2']);
    }
  });
});

describe('a liar among workers that come and go', () => {
  it.each([
    'keeps its trees',
    'says nothing of its rounds',
    'stops every group',
    'can not do the run',
  ] as const)('that %s holds no run up for good', async (name) => {
    for (let seed = 0; seed < 20; seed += 1) {
      const life = await simulateRun(seed, { rounds: 30, min: 2, max: 4, liars: { w2: lies[name] } });
      expect(life.outcome.rounds).toHaveLength(30);
    }
  });
});
