// Population based training (Jaderberg et al. 2017) as Ray does it with `synch=True`: every so many iterations all trials
// are compared, and the worst quarter goes on from checkpoints of the best, with their values perturbed. Nothing depends on
// who came first, and trials may take turns on fewer workers than there are trials.

import { z } from 'zod';
import { randomFromWords } from '../../../shared/text/randomFromWords.ts';
import { perturb } from './perturb.ts';
import { defineScheduler, type PopulationMember } from './scheduler.ts';

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
      .describe('Iterations between two comparisons of all trials.'),
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
    { space, seed },
  ) => ({
    generations: {
      every: perturbationInterval,
      renew(members) {
        const { best, worst } = extremes(members, quantileFraction);
        return worst.flatMap(({ trial, iteration }) => {
          const random = randomFromWords(seed, 'pbt', trial, iteration);
          const source = best[Math.floor(random() * best.length)];
          if (!source) return [];
          const how = { resampleProbability, perturbationFactors, random };
          return [{ trial, source: source.trial, assignment: perturb(space, source.assignment, how) }];
        });
      },
    },
  }),
});

function extremes(
  members: readonly PopulationMember[],
  fraction: number,
): { readonly best: readonly PopulationMember[]; readonly worst: readonly PopulationMember[] } {
  const ranked = members
    .flatMap((member) => (member.score === undefined ? [] : [{ member, score: member.score }]))
    .sort((a, b) => (a.score === b.score ? a.member.trial - b.member.trial : a.score - b.score))
    .map(({ member }) => member);
  if (ranked.length < 2) return { best: [], worst: [] };
  const count = Math.min(Math.ceil(ranked.length * fraction), Math.floor(ranked.length / 2));
  return { worst: ranked.slice(0, count), best: ranked.slice(-count) };
}
