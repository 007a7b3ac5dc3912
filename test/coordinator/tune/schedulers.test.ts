import { describe, expect, it } from 'vitest';
import { quantile } from '../../../coordinator/tune/schedule/quantile.ts';
import { schedulers } from '../../../coordinator/tune/schedule/registry.ts';
import type { Decision, Exploit, Judge, Scheduler } from '../../../coordinator/tune/schedule/scheduler.ts';
import { choice, randint, uniform } from '../../../coordinator/tune/space/domain.ts';
import { resolveSpace } from '../../../coordinator/tune/space/searchSpace.ts';
import { perturb } from '../../../coordinator/tune/schedule/perturb.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const space = resolveSpace({ rate: uniform(0.1, 1), kind: choice(['a', 'b', 'c']) });

function make(name: string, options: Record<string, unknown> = {}): Scheduler {
  const kind = schedulers.find((one) => one.name === name)!;
  return kind.create(kind.options.parse(options), { space, seed: 0 });
}

function judge(name: string, options: Record<string, unknown> = {}): Judge {
  return make(name, options).judge!;
}

/** Feeds reports one after the other; the decisions. */
function play(judged: Judge) {
  let state = judged.initial;
  return {
    report(trial: number, iteration: number, score: number): Decision {
      const [next, decision] = judged.step(state, { trial, iteration, score });
      state = next;
      return decision;
    },
  };
}

describe('quantile', () => {
  it('interpolates as numpy does', () => {
    expect(quantile([1, 2, 3, 4], 0.75)).toBe(3.25);
    expect(quantile([4, 1], 0.5)).toBe(2.5);
    expect(quantile([], 0.5)).toBeUndefined();
    expect(quantile([-Infinity, 1], 0.75)).toBe(1);
    expect(quantile([-Infinity, -Infinity], 0.75)).toBe(-Infinity);
  });
});

describe('fifo', () => {
  it('lets everything go on', () => {
    expect(make('fifo')).toEqual({});
  });
});

describe('asha', () => {
  it('stops a trial below the best quarter of those that reached the rung before it', () => {
    const game = play(judge('asha'));
    // The first at a rung has nobody to be worse than.
    expect(game.report(0, 1, 10).type).toBe('continue');
    expect(game.report(1, 1, 20).type).toBe('continue');
    // The 75th percentile of 10 and 20 is 17.5.
    expect(game.report(2, 1, 17.4).type).toBe('stop');
    // That of 10, 17.4 and 20 is 18.7: stopped trials count.
    expect(game.report(3, 1, 18.6).type).toBe('stop');
    expect(game.report(4, 1, 19).type).toBe('continue');
    // Between rungs (4, 16, 64) nothing is decided.
    expect(game.report(0, 2, -100).type).toBe('continue');
    expect(game.report(0, 3, -100).type).toBe('continue');
    expect(game.report(1, 4, 1).type).toBe('continue');
    expect(game.report(4, 4, 0.5).type).toBe('stop');
  });

  it('ends every trial at maxT', () => {
    expect(make('asha', { maxT: 9 }).lastIteration).toBe(9);
  });

  it('takes no notice of later trials, and of iterations that others have reached since', () => {
    const game = play(judge('asha', { reductionFactor: 2 }));
    game.report(1, 1, 9);
    game.report(1, 2, 9);
    expect(game.report(0, 1, 1).type).toBe('continue');
    expect(game.report(0, 2, 1).type).toBe('continue');
    expect(game.report(2, 1, 4).type).toBe('stop');
    const median = play(judge('medianStopping', { gracePeriod: 1, minSamplesRequired: 1 }));
    median.report(1, 1, 9);
    expect(median.report(0, 1, 1).type).toBe('continue');
    median.report(0, 2, 100);
    expect(median.report(2, 1, 5).type).toBe('continue');
  });

  it('counts a rung that a report jumps over as reached, and judges a trial once a rung', () => {
    const game = play(judge('asha', { reductionFactor: 2, maxT: 100 }));
    expect(game.report(0, 1, 1).type).toBe('continue');
    expect(game.report(1, 5, 2).type).toBe('continue');
    expect(game.report(1, 6, -5).type).toBe('continue');
    expect(game.report(2, 5, 1).type).toBe('stop');
  });

  it('stops a trial that reports nothing but NaN as soon as another is there', () => {
    const game = play(judge('asha'));
    expect(game.report(0, 1, 0).type).toBe('continue');
    expect(game.report(1, 1, -Infinity).type).toBe('stop');
  });

  it('has a rung at every power of the reduction factor below maxT', () => {
    const rungs = (options: Record<string, unknown>) =>
      (judge('asha', options).initial as { iteration: number }[]).map(({ iteration }) => iteration);
    expect(rungs({})).toEqual([64, 16, 4, 1]);
    expect(rungs({ maxT: 1000, reductionFactor: 10 })).toEqual([1000, 100, 10, 1]);
    expect(rungs({ maxT: 50, gracePeriod: 5, reductionFactor: 3 })).toEqual([45, 15, 5]);
    expect(rungs({ maxT: 5, gracePeriod: 10 })).toEqual([]);
  });
});

describe('medianStopping', () => {
  it("stops a trial whose best is below the median of the others' means from the grace period on", () => {
    const game = play(judge('medianStopping', { gracePeriod: 2, minSamplesRequired: 3 }));
    for (const [trial, base] of [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const) {
      expect(game.report(trial, 1, base * 100).type).toBe('continue');
      game.report(trial, 2, base);
      game.report(trial, 3, base + 2);
    }
    // Means of iterations 2 and 3 are 2, 3 and 4: iteration 1 is within the grace period.
    expect(game.report(3, 1, 0).type).toBe('continue');
    expect(game.report(3, 2, 1.9).type).toBe('stop');
    const better = play(judge('medianStopping', { gracePeriod: 1, minSamplesRequired: 1 }));
    better.report(0, 1, 5);
    expect(better.report(1, 1, 5).type).toBe('continue');
    expect(better.report(2, 1, 4.9).type).toBe('stop');
  });

  it('waits until enough others have come as far', () => {
    const game = play(judge('medianStopping', { gracePeriod: 1, minSamplesRequired: 2 }));
    game.report(0, 2, 10);
    game.report(0, 3, 10);
    game.report(1, 1, 10);
    expect(game.report(2, 2, 0).type).toBe('continue');
    game.report(1, 2, 10);
    expect(game.report(2, 2, 0).type).toBe('stop');
  });
});

describe('pbt', () => {
  const renew = (
    scores: readonly (number | undefined)[],
    options: Record<string, unknown>,
  ): readonly Exploit[] =>
    make('pbt', options).generations!.renew(
      scores.map((score, trial) => ({
        trial,
        iteration: 2,
        score,
        assignment: { rate: 0.2 * (trial + 1), kind: 0 },
      })),
    );

  it('lets the worst quarter go on from the best quarter, near their values', () => {
    const [exploit, ...others] = renew([0, 1, 2, 3], { resampleProbability: 0 });
    expect(others).toEqual([]);
    expect(exploit).toMatchObject({ trial: 0, source: 3 });
    // The best has 0.8, times 1.2 or 0.8.
    expect([0.8 * 1.2, 0.8 * 0.8]).toContain(exploit?.assignment['rate']);
    const half = renew([5, 1, 4, 2, 3], { quantileFraction: 0.5 });
    expect(half.map(({ trial }) => trial)).toEqual([1, 3]);
    for (const { source } of half) expect([0, 2]).toContain(source);
  });

  it('leaves out trials without a score, and a single one alone', () => {
    expect(renew([undefined, 1, 2], {})).toMatchObject([{ trial: 1, source: 2 }]);
    expect(renew([undefined, 1], {})).toEqual([]);
    expect(renew([], {})).toEqual([]);
  });

  it('takes a trial that reports NaN for the worst', () => {
    expect(renew([1, -Infinity, 2], {})).toMatchObject([{ trial: 1, source: 2 }]);
  });

  it('perturbs numbers by its factors within their domain, choices to a neighbour, and sometimes draws anew', () => {
    const how = { perturbationFactors: [1.2, 0.8] as const, random: seededRandom(1) };
    const near = Array.from({ length: 200 }, () =>
      perturb(space, { rate: 0.9, kind: 2 }, { ...how, resampleProbability: 0 }),
    );
    expect(new Set(near.map(({ rate }) => rate))).toEqual(new Set([1, 0.9 * 0.8]));
    expect(new Set(near.map(({ kind }) => kind))).toEqual(new Set([1, 2]));
    const whole = resolveSpace({ depth: randint(1, 11) });
    const depths = Array.from({ length: 200 }, () =>
      perturb(whole, { depth: 5 }, { ...how, resampleProbability: 0 }),
    );
    expect(new Set(depths.map(({ depth }) => depth))).toEqual(new Set([6, 4]));
    const anew = Array.from({ length: 200 }, () =>
      perturb(space, { rate: 0.9, kind: 2 }, { ...how, resampleProbability: 1 }),
    );
    expect(new Set(anew.map(({ kind }) => kind))).toEqual(new Set([0, 1, 2]));
    expect(new Set(anew.map(({ rate }) => rate)).size).toBe(200);
  });
});
