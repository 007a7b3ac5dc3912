// The "tune" section of a config file, for coordinator/config: validation, types and docs come from it.

import { z } from 'zod';
import { tuneFields } from './run/tuneOptions.ts';
import { declarativeKinds, spaceFromJson } from './space/spaceJson.ts';
import type { ParamSpace } from './space/searchSpace.ts';

const kinds = Object.entries(declarativeKinds).map(([key, { list }]) => `${key}: ${list}`);

export const tuneSection = z
  .strictObject({
    paramSpace: z
      .record(z.string(), z.unknown())
      .describe(
        `What to search. Of trees: parameters by name, or under params; numBoostRound, earlyStoppingRounds and scalingConfig too. Of nets: any key of the config, e.g. {optimizer: {learningRate: …}}. Each is a value or one of ${kinds.join('; ')}.`,
      ),
    ...tuneFields,
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
