// Population based training (Jaderberg et al. 2017) as Ray does it: every so many iterations a trial among the worst
// quarter goes on from the checkpoint of one among the best, with that one's values perturbed. Trials compare only while
// they run side by side, so maxConcurrentTrials should be the size of the population.

import { z } from 'zod';
import { perturb } from './perturb.ts';
import { defineScheduler, goOn, type Decision } from './scheduler.ts';
import type { Assignment } from '../space/searchSpace.ts';
import { trialRandom } from '../space/trialRandom.ts';

interface Member {
  readonly score: number | undefined;
  readonly assignment: Assignment;
  readonly perturbedAt: number;
}
type Population = ReadonlyMap<number, Member>;

export const pbt = defineScheduler({
  name: 'pbt',
  doc: 'Population based training: the worst go on from checkpoints of the best, with perturbed values.',
  needsMetric: true,
  options: z.strictObject({
    perturbationInterval: z
      .number()
      .int()
      .min(1)
      .default(5)
      .describe('Iterations between two looks at a trial.'),
    quantileFraction: z
      .number()
      .gt(0)
      .max(0.5)
      .default(0.25)
      .describe('Share of the trials that is replaced.'),
    resampleProbability: z
      .number()
      .min(0)
      .max(1)
      .default(0.25)
      .describe('Chance of a value drawn anew instead of perturbed.'),
    perturbationFactors: z
      .tuple([z.number().positive(), z.number().positive()])
      .default([1.2, 0.8])
      .describe('What numbers are multiplied by.'),
  }),
  create: (
    { perturbationInterval, quantileFraction, resampleProbability, perturbationFactors },
    context,
  ) => ({
    initial: new Map(),
    checkpointEvery: perturbationInterval,
    step(state: Population, event): readonly [Population, Decision] {
      if (event.type === 'ended') {
        return [new Map([...state].filter(([trial]) => trial !== event.trial)), goOn];
      }
      const { trial, iteration, score, assignment } = event;
      const perturbedAt = state.get(trial)?.perturbedAt ?? 0;
      if (iteration - perturbedAt < perturbationInterval) {
        const member = { score: state.get(trial)?.score, assignment, perturbedAt };
        return [new Map([...state, [trial, member]]), goOn];
      }
      const next = new Map([...state, [trial, { score, assignment, perturbedAt: iteration }]]);
      const { best, worst } = extremes(next, quantileFraction);
      if (!worst.includes(trial)) return [next, goOn];
      const random = trialRandom(context.seed, 'pbt', trial, iteration);
      const source = best[Math.floor(random() * best.length)];
      const better = source === undefined ? undefined : next.get(source);
      if (source === undefined || !better) return [next, goOn];
      const perturbed = perturb(context.space, better.assignment, {
        resampleProbability,
        perturbationFactors,
        random,
      });
      // It goes on at the other's iteration.
      const moved = { score: undefined, assignment: perturbed, perturbedAt: better.perturbedAt };
      return [new Map([...next, [trial, moved]]), { type: 'exploit', source, assignment: perturbed }];
    },
  }),
});

function extremes(population: Population, fraction: number): { best: number[]; worst: number[] } {
  const ranked = [...population]
    .flatMap(([trial, { score }]) => (score === undefined ? [] : [{ trial, score }]))
    .sort((a, b) => (a.score === b.score ? a.trial - b.trial : a.score - b.score))
    .map(({ trial }) => trial);
  if (ranked.length < 2) return { best: [], worst: [] };
  const count = Math.min(Math.ceil(ranked.length * fraction), Math.floor(ranked.length / 2));
  return { worst: ranked.slice(0, count), best: ranked.slice(-count) };
}
