// Runs whole lives of a run in virtual time. simulateRun checks in every life: rounds are recorded once and in order,
// nobody keeps a round that is recorded otherwise, each generation leases every shard once, a run that waits says for
// what, and the run finishes soon after the chaos ends.

import { describe, expect, it } from 'vitest';
import { sampled } from '../setup/longRun.ts';
import { simulateRun } from './simulateRun.ts';

const LIVES_PER_TEST = 200;

describe('a run among workers that come and go', () => {
  it.each(sampled([0, 1, 2, 3, 4], 5))('survives random lives (batch %i)', async (batch) => {
    let mishaps = 0;
    let generations = 0;
    for (let life = 0; life < LIVES_PER_TEST; life += 1) {
      const result = await simulateRun(batch * LIVES_PER_TEST + life);
      mishaps += result.mishaps;
      generations += result.generations;
    }
    // The schedules are worth something only while they disturb the runs.
    expect(mishaps).toBeGreaterThan(5_000);
    expect(generations).toBeGreaterThan(2 * LIVES_PER_TEST);
  });

  it.each(sampled([0, 1], 2))(
    'survives lives in which the coordinator is killed too (batch %i)',
    async (batch) => {
      let restarts = 0;
      for (let life = 0; life < LIVES_PER_TEST; life += 1) {
        const result = await simulateRun(100_000 + batch * LIVES_PER_TEST + life, { restarts: true });
        restarts += result.restarts;
      }
      expect(restarts).toBeGreaterThan(2 * LIVES_PER_TEST);
    },
  );

  it.each(sampled([0, 1], 2))('survives lives in which pages are loaded anew (batch %i)', async (batch) => {
    let isBack = 0;
    for (let life = 0; life < LIVES_PER_TEST; life += 1) {
      const restarts = life % 4 === 0;
      const seed = 150_000 + batch * LIVES_PER_TEST + life;
      const { events } = await simulateRun(seed, {
        reloads: true,
        restarts,
        firstWorkers: 4,
      });
      const lost = new Set<string>();
      for (const event of events) {
        if (event.type === 'workerLost') lost.add(event.workerId);
        if (event.type === 'workerJoined' && lost.delete(event.workerId)) isBack += 1;
      }
    }
    expect(isBack).toBeGreaterThan(LIVES_PER_TEST / 4);
  });

  it('survives mishaps several times a second on long rounds', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const life = await simulateRun(50_000 + seed, {
        rounds: 40,
        roundMs: 300,
        calmMs: 150,
        chaosMs: 20_000,
        firstWorkers: 4,
      });
      expect(life.outcome.rounds).toHaveLength(40);
    }
  });

  it('ends after the round that is enough', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const life = await simulateRun(60_000 + seed, {
        rounds: 100,
        stopAfterRound: 17,
        calmMs: 300,
        firstWorkers: 3,
      });
      expect(life.outcome.rounds.map((round) => round.round)).toEqual([...Array(18).keys()]);
    }
  });

  it('waits below the minimum, says for what, and goes on when enough are there', async () => {
    const options = {
      rounds: 20,
      min: 3,
      max: 4,
      shards: 9,
      firstWorkers: 2,
      chaosMs: 5_000,
      calmMs: 100_000,
    };
    const life = await simulateRun(1, options);
    const reasons = life.events.flatMap((event) => (event.type === 'waiting' ? [event.reason] : []));
    expect(reasons.some((reason) => reason.startsWith('Waiting for 1 more worker (2 of 3 here)'))).toBe(true);
    expect(life.outcome.rounds).toHaveLength(20);
  });

  it('goes on without one of two workers that can not reach each other', async () => {
    const brokenPairs = ['w1|w2'];
    const options = {
      rounds: 10,
      min: 2,
      max: 3,
      shards: 6,
      firstWorkers: 3,
      chaosMs: 60_000,
      calmMs: 100_000,
    };
    const life = await simulateRun(2, { ...options, brokenPairs });
    expect(life.virtualMs).toBeLessThan(60_000);
    const lost = life.events.flatMap((event) => (event.type === 'workerLost' ? [event] : []));
    expect(lost).toHaveLength(1);
    expect(brokenPairs[0]?.split('|')).toContain(lost[0]?.workerId);
    expect(lost[0]?.reason).toMatch(/^the group did not begin; the last message was: DEADLINE_EXCEEDED/);
  });
});
