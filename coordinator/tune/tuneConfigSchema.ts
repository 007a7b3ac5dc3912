// The "tune" section of a config file, for coordinator/config: validation, types and docs come from it.

import { z } from 'zod';
import { schedulers } from './schedule/registry.ts';
import { searcherNames } from './search/registry.ts';
import { declarativeKinds, spaceFromJson } from './space/spaceJson.ts';
import type { ParamSpace } from './space/searchSpace.ts';

const wholeFrom = (min: number, max: number) => z.number().int().min(min).max(max);
const kinds = Object.entries(declarativeKinds).map(([key, { list }]) => `${key}: ${list}`);
const schedulerNames = schedulers.map(({ name }) => name);

export const tuneSection = z
  .strictObject({
    paramSpace: z
      .record(z.string(), z.unknown())
      .describe(
        `What to search. Of trees: parameters by name, or under params; numBoostRound, earlyStoppingRounds and scalingConfig too. Of nets: any key of the config, e.g. {optimizer: {learningRate: …}}. Each is a value or one of ${kinds.join('; ')}.`,
      ),
    metric: z.string().min(1).describe('What is tuned, e.g. valid-auc.'),
    mode: z.enum(['max', 'min']).describe('Which end of it is best.'),
    numSamples: z
      .union([wholeFrom(1, 1_000_000), z.literal(-1)])
      .default(1)
      .describe('Trials, or times that the grid is gone through; -1 goes on until timeBudgetS is over.'),
    searcher: z
      .union([
        z.enum(searcherNames as [string, ...string[]]),
        z.strictObject({
          name: z.enum(searcherNames as [string, ...string[]]),
          parallel: wholeFrom(1, 4096).optional(),
        }),
      ])
      .optional()
      .describe(
        'Without it grid where the space has one, else random. {"name": "tpe", "parallel": 8} has more trials open at a time than 4, and learns later from each.',
      ),
    scheduler: z
      .union([z.enum(schedulerNames as [string, ...string[]]), z.looseObject({ name: z.string() })])
      .default('fifo')
      .describe('Its name, or {"name": …} with its options.'),
    maxConcurrentTrials: wholeFrom(1, 4096)
      .optional()
      .describe('Most trials at once. Without it as many as there are workers for.'),
    timeBudgetS: z.number().positive().optional().describe('Seconds after which trials end.'),
    seed: wholeFrom(0, 2 ** 31)
      .default(0)
      .describe('The same seed gives the same trials.'),
    stop: z
      .record(z.string(), z.number())
      .optional()
      .describe('Ends a trial that reaches one of these, e.g. {"trainingIteration": 50}.'),
    failFast: z.boolean().default(false).describe('End with the first trial that fails.'),
  })
  .describe('For `tabgrad tune`: the trials to make of this config.');

/** Keys of the trainer of trees that a config may search; all others are parameters. */
const trainerKeys = ['params', 'numBoostRound', 'earlyStoppingRounds', 'scalingConfig'];

/** The space of a Tuner. @throws SearchSpaceError */
export function declaredSpace(
  declared: z.output<typeof tuneSection>['paramSpace'],
  trainer: 'gbdt' | 'neural',
): ParamSpace {
  const space = spaceFromJson(declared) as Record<string, unknown>;
  if (trainer === 'neural') return space;
  const entries = Object.entries(space);
  const own = entries.filter(([key]) => trainerKeys.includes(key));
  const short = entries.filter(([key]) => !trainerKeys.includes(key));
  if (short.length === 0) return space;
  return {
    ...Object.fromEntries(own),
    params: { ...(space['params'] as object), ...Object.fromEntries(short) },
  };
}
