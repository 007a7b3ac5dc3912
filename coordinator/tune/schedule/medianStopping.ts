// Median stopping (Golovin et al. 2017, Vizier) as Ray does it: a trial whose best score is worse than the median of the
// other trials' mean scores up to the same iteration is stopped. The others are the earlier trials, so that nothing depends
// on speed.

import { z } from 'zod';
import { quantile } from './quantile.ts';
import { defineScheduler, goOn, judgeOf, type Decision } from './scheduler.ts';

interface Scored {
  readonly iteration: number;
  readonly score: number;
}
type Scores = ReadonlyMap<number, readonly Scored[]>;

export const medianStopping = defineScheduler({
  name: 'medianStopping',
  doc: 'Stops a trial whose best score is below the median of the running means of earlier trials.',
  needsMetric: true,
  options: z.strictObject({
    gracePeriod: z.number().int().min(1).default(5).describe('Iterations that every trial gets.'),
    minSamplesRequired: z
      .number()
      .int()
      .min(1)
      .default(3)
      .describe('Earlier trials that must have come as far before one is stopped.'),
  }),
  create: ({ gracePeriod, minSamplesRequired }) => ({
    judge: judgeOf({
      initial: new Map(),
      step(state: Scores, { trial, iteration, score }): readonly [Scores, Decision] {
        const own = [...(state.get(trial) ?? []), { iteration, score }];
        const next = new Map([...state, [trial, own]]);
        if (iteration < gracePeriod) return [next, goOn];
        const means = [...next]
          .filter(([other, scores]) => other < trial && scores.some((one) => one.iteration === iteration))
          .map(([, scores]) =>
            mean(scores.filter((one) => one.iteration >= gracePeriod && one.iteration <= iteration)),
          );
        const median = quantile(means, 0.5);
        if (means.length < minSamplesRequired || median === undefined) return [next, goOn];
        if (Math.max(...own.map((one) => one.score)) >= median) return [next, goOn];
        const reason = `worse than the median of ${means.length} earlier trials at iteration ${iteration}`;
        return [next, { type: 'stop', reason }];
      },
    }),
  }),
});

function mean(scores: readonly Scored[]): number {
  return scores.reduce((sum, { score }) => sum + score, 0) / scores.length;
}
