// Asynchronous successive halving (Li et al. 2018) as Ray does it: a trial that reaches a rung goes on when its score is
// among the best 1/reductionFactor of those that reached the rung before. Nobody waits for anybody.

import { z } from 'zod';
import { quantile } from './quantile.ts';
import { defineScheduler, goOn, judgeOf, type Decision } from './scheduler.ts';

/** Scores by trial at each rung, highest rung first. */
type Rungs = readonly { readonly iteration: number; readonly scores: ReadonlyMap<number, number> }[];

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
      scores: new Map<number, number>(),
    }));
    return {
      judge: judgeOf({
        initial,
        step(state: Rungs, event): readonly [Rungs, Decision] {
          if (event.type !== 'report') return [state, goOn];
          const { trial, iteration, score } = event;
          if (iteration >= maxT) return [state, { type: 'stop', reason: `reached maxT, ${maxT}` }];
          const place = state.findIndex((rung) => iteration >= rung.iteration && !rung.scores.has(trial));
          const rung = state[place];
          // A rung above that it has passed already decided.
          const passed = state.findIndex((one) => one.scores.has(trial));
          if (!rung || (passed !== -1 && passed < place)) return [state, goOn];
          const cutoff = quantile([...rung.scores.values()], 1 - 1 / reductionFactor);
          const next = state.with(place, { ...rung, scores: new Map([...rung.scores, [trial, score]]) });
          if (cutoff === undefined || score >= cutoff) return [next, goOn];
          return [
            next,
            {
              type: 'stop',
              reason: `not among the best 1/${reductionFactor} of ${next[place]?.scores.size} at iteration ${iteration}`,
            },
          ];
        },
      }),
    };
  },
});
