// The shape of a config file with `trainer: "neural"`, as configSchema.ts has it for trees. Names are those of
// NeuralTrainer's options; what only the model or the data can tell is checked there.

import { z } from 'zod';
import { gradientCodecs } from '../../shared/neural/run/neuralSpec.ts';
import { tuneSection } from '../tune/tuneConfigSchema.ts';
import { columnName, rowSections, runSection, scalingSection, wholeFrom } from './configSchema.ts';

const path = z.string().min(1);
const columnList = z.array(columnName).min(1).max(100_000);
const above0 = z.number().positive();
const losses = z.enum([
  'binaryCrossentropy',
  'categoricalCrossentropy',
  'meanSquaredError',
  'sparseCategoricalCrossentropy',
]);
const optimizers = z.enum(['adam', 'adamw', 'sgd']);
const warmupSteps = wholeFrom(0, 1_000_000_000).optional();

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

export const neuralConfigSchema = z.strictObject({
  trainer: z.literal('neural').describe('Neural nets.'),
  ...rowSections,
  labelColumn: columnName.describe('The column to predict.'),
  featureColumns: z
    .union([columnList, z.record(z.string(), columnList)])
    .optional()
    .describe(
      "Columns of the model's input, in this order, or of each input by its name. Without it all but the label.",
    ),
  model,
  inputScale: above0.optional().describe('Inputs are bytes; the model gets them times this.'),
  inputOffset: z.number().optional().describe('Inputs are bytes; added after scaling.'),
  loss: z
    .union([losses, z.strictObject({ name: losses, fromLogits: z.boolean() })])
    .describe(
      'What is made small: binaryCrossentropy, categoricalCrossentropy, meanSquaredError or sparseCategoricalCrossentropy; {"name": …, "fromLogits": true} for a model that ends in logits.',
    ),
  metrics: z
    .array(z.enum(['accuracy', 'meanAbsoluteError', 'meanSquaredError']))
    .max(3)
    .optional()
    .describe('accuracy, meanAbsoluteError, meanSquaredError. Without it accuracy for the cross-entropies.'),
  optimizer: z
    .union([
      optimizers,
      z.strictObject({
        name: optimizers,
        learningRate: above0.optional(),
        momentum: z.number().min(0).lt(1).optional(),
        nesterov: z.boolean().optional(),
        beta1: z.number().min(0).lt(1).optional(),
        beta2: z.number().min(0).lt(1).optional(),
        epsilon: above0.optional(),
        weightDecay: z.number().min(0).optional(),
      }),
    ])
    .default('adam')
    .describe(
      'adam, adamw or sgd, or {"name": …} with learningRate, weightDecay, and momentum and nesterov (sgd) or beta1, beta2 and epsilon.',
    ),
  learningRateSchedule: z
    .discriminatedUnion('name', [
      z.strictObject({ name: z.literal('constant'), warmupSteps }),
      z.strictObject({ name: z.literal('cosine'), warmupSteps, final: z.number().min(0).max(1).optional() }),
      z.strictObject({
        name: z.literal('step'),
        warmupSteps,
        everySteps: wholeFrom(1, 1_000_000_000),
        factor: above0,
      }),
    ])
    .optional()
    .describe(
      '{"name": "constant"}, {"name": "cosine", "final": 0} or {"name": "step", "everySteps": 100, "factor": 0.5}, each with warmupSteps.',
    ),
  clipNorm: above0.optional().describe('Gradients are scaled down to this norm.'),
  clipValue: above0.optional().describe('Gradients are cut to ± this value.'),
  numEpochs: wholeFrom(1, 1_000_000)
    .optional()
    .describe('Times that all rows are gone through; 1 without it and maxSteps.'),
  maxSteps: wholeFrom(1, 1_000_000_000).optional().describe('Steps to train, in place of numEpochs.'),
  globalBatchSize: wholeFrom(1, 1_000_000).default(32).describe('Rows of a step, over all workers.'),
  microbatchSize: wholeFrom(1, 1_000_000)
    .optional()
    .describe('Rows that a worker computes at a time. Without it the global batch over the most workers.'),
  seed: wholeFrom(0, 2 ** 32 - 1)
    .default(0)
    .describe('Of first weights, order of rows and dropout.'),
  gradientCodec: z
    .enum(gradientCodecs)
    .default('f32')
    .describe('How gradients travel. All but f32 are smaller and not exact.'),
  syncBatchNorm: z
    .boolean()
    .default(false)
    .describe('Batch normalisation over the microbatches of all workers.'),
  localSteps: z
    .strictObject({
      steps: wholeFrom(1, 1_000_000),
      outerLearningRate: above0.optional(),
      outerMomentum: z.number().min(0).lt(1).optional(),
    })
    .optional()
    .describe(
      '{"steps": 8, "outerLearningRate": 0.7, "outerMomentum": 0.9}: workers make so many steps on their own before an outer step brings them together. The result then depends on the number of workers. Not with syncBatchNorm or profile.',
    ),
  bucketBytes: wholeFrom(1024, 2 ** 30)
    .optional()
    .describe('Gradients are exchanged in pieces of about this size; 4 MiB without it.'),
  reportEverySteps: wholeFrom(1, 1_000_000_000)
    .optional()
    .describe('Metrics every so many steps; without it about four times a second.'),
  tuneKernels: z
    .boolean()
    .default(false)
    .describe(
      'Workers with WebGPU time tiles of their matrix products before the first step, for about 10 seconds at most, and keep what they find.',
    ),
  verifyEveryStep: z.boolean().default(false).describe("Compare the workers' parameters after every step."),
  resumeFromCheckpoint: path
    .optional()
    .describe('Checkpoint of an earlier run, to go on until numEpochs or maxSteps in all.'),
  scalingConfig: scalingSection.prefault({}),
  runConfig: runSection.prefault({}),
  tune: tuneSection.optional(),
});

/** A checked config with every default filled in. */
export type NeuralConfig = z.output<typeof neuralConfigSchema>;
