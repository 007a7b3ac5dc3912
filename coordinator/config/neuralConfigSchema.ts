// The shape of a config file with `trainer: "neural"`, as configSchema.ts has it for trees: rows and the options of
// NeuralTrainer. What only the model or the data can tell is checked there.

import { z } from 'zod';
import { path, wholeFrom } from '../schema/optionWords.ts';
import { checkLength, neuralFields } from '../train/neural/neuralOptions.ts';
import { checkRows, rowSections, runSections } from './configSchema.ts';

const model = z
  .union([
    path,
    z.strictObject({
      resnet18: z.strictObject({
        stem: z.enum(['7x7', '3x3']).optional(),
        classes: wholeFrom(2, 1_000_000).optional(),
        inputShape: z.tuple([wholeFrom(1, 16_384), wholeFrom(1, 16_384), wholeFrom(1, 16_384)]).optional(),
      }),
    }),
    z.looseObject({ class_name: z.string().min(1), config: z.unknown() }),
  ])
  .describe(
    'Folder or model.json of a saved tf.LayersModel, a file with its topology, that topology itself ({"class_name": …, ' +
      '"config": …}), or {"resnet18": {"stem": "7x7", "classes": 10, "inputShape": [28, 28, 1]}}.',
  );

export const neuralConfigSchema = z
  .strictObject({
    trainer: z.literal('neural').describe('Neural nets.'),
    ...rowSections,
    ...neuralFields,
    model,
    ...runSections,
  })
  .superRefine(checkRows)
  .superRefine(checkLength);

/** A checked config with every default filled in. */
export type NeuralConfig = z.output<typeof neuralConfigSchema>;
