// Whole lives of runs in which a member holds the others up, again and again: its socket lives, it answers halts and says what
// it has to, but the group gets nothing done. simulateRun checks each life; here is what it may cost.

import { describe, expect, it } from 'vitest';
import { calm, lost } from './calmLife.ts';
import { simulateRun } from './simulateRun.ts';
import type { Stall } from './simulatedWorker.ts';

const SEEDS = 8;
const ROUNDS = 300;

const stalls: Stall[] = [
  'loads a row every two minutes',
  'is silent once it has a place',
  'has no links',
  'is quiet after a round',
];

describe.each(stalls)('a member that %s', (stall) => {
  it('costs the others little, and is used no more after the third time', async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const staller = `w${1 + (seed % 5)}`;
      const life = await simulateRun(seed, { ...calm, rounds: ROUNDS, stallers: { [staller]: stall } });
      expect(life.outcome.rounds).toHaveLength(ROUNDS);
      const times = lost(life).filter((workerId) => workerId === staller).length;
      expect(times).toBeGreaterThan(0);
      expect(times).toBeLessThanOrEqual(4);
      expect(lost(life).filter((workerId) => workerId !== staller)).toEqual([]);
      // Less than as long again as the rounds themselves take.
      expect(life.virtualMs).toBeLessThan(2 * ROUNDS * 150);
    }
  });

  it('does not keep a run below its minimum from going on when others come', async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const life = await simulateRun(seed, {
        ...calm,
        min: 2,
        max: 2,
        firstWorkers: 2,
        rounds: 30,
        stallers: { w2: stall },
      });
      expect(life.outcome.rounds).toHaveLength(30);
    }
  });
});
