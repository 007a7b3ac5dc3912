// Successive halving without waiting (Li et al. 2018, ASHA) as Ray does it: a trial that reaches a rung goes on when its
// score is among the best 1/reductionFactor of those that reached the rung before it. "Before" means earlier trials, not
// earlier in time: with trials one after the other that is the same, and side by side nothing depends on speed.

import { z } from 'zod';
import { quantile } from './quantile.ts';
import { defineScheduler, goOn, judgeOf, type Decision } from './scheduler.ts';

interface Reached {
  readonly iteration: number;
  readonly score: number;
}

/** What trials had at each rung, by trial; highest rung first. */
type Rungs = readonly { readonly iteration: number; readonly reached: ReadonlyMap<number, Reached> }[];

export const asha = defineScheduler({
  name: 'asha',
  doc: 'Stops trials that are not among the best at iterations 1, 4, 16, … (asynchronous successive halving).',
  needsMetric: true,
  options: z.strictObject({
    maxT: z.number().int().min(1).default(100).describe('Iterations after which a trial ends.'),
    gracePeriod: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe('Iterations that every trial gets: the first rung.'),
    reductionFactor: z.number().gt(1).default(4).describe('One in so many goes on at each rung.'),
  }),
  create({ maxT, gracePeriod, reductionFactor }) {
    // The small term keeps exact powers from falling below their rung: log(1000) / log(10) is 2.9999999999999996.
    const rungs =
      gracePeriod > maxT
        ? 0
        : Math.floor(Math.log(maxT / gracePeriod) / Math.log(reductionFactor) + 1e-9) + 1;
    const initial: Rungs = Array.from({ length: rungs }, (_, k) => ({
      iteration: gracePeriod * reductionFactor ** (rungs - 1 - k),
      reached: new Map<number, Reached>(),
    }));
    return {
      lastIteration: maxT,
      judge: judgeOf({
        initial,
        step(state: Rungs, { trial, iteration, score }): readonly [Rungs, Decision] {
          const place = state.findIndex((rung) => iteration >= rung.iteration && !rung.reached.has(trial));
          const rung = state[place];
          // A rung above that it has passed already decided.
          const passed = state.findIndex((one) => one.reached.has(trial));
          if (!rung || (passed !== -1 && passed < place)) return [state, goOn];
          const before = [...rung.reached]
            .filter(([other, reached]) => other < trial && reached.iteration <= iteration)
            .map(([, reached]) => reached.score);
          const cutoff = quantile(before, 1 - 1 / reductionFactor);
          const reached = new Map([...rung.reached, [trial, { iteration, score }]]);
          const next = state.with(place, { ...rung, reached });
          if (cutoff === undefined || score >= cutoff) return [next, goOn];
          const reason = `not among the best 1/${reductionFactor} of ${before.length + 1} at iteration ${iteration}`;
          return [next, { type: 'stop', reason }];
        },
      }),
    };
  },
});
