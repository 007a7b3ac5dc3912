// What an owner passes to NeuralTrainer, in Ray's and Keras's names: one schema for scripts, config files and
// docs/config.md. Everything that needs neither model nor data is refused here.

import { z } from 'zod';
import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { LearningRateSchedule } from '../../../shared/neural/run/learningRate.ts';
import {
  gradientCodecs,
  type CenteredClipSpec,
  type GradientCodec,
  type LocalSteps,
} from '../../../shared/neural/run/neuralSpec.ts';
import {
  lossNames,
  metricNames,
  type LossName,
  type MetricName,
} from '../../../shared/neural/trainingEngine.ts';
import type { ModelSource } from '../../checkpoint/modelSource.ts';
import { NeuralCheckpoint } from '../../checkpoint/neuralCheckpoint.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { above0, belowOne, columnList, columnName, path, seed, wholeFrom } from '../../schema/optionWords.ts';
import { runSettings, trainerFields, type RunSettings } from '../../options/runOptions.ts';
import { learningRateSchedule, optimizer, resolveOptimizer, resolveSchedule } from './optimizerOptions.ts';
import { isTensorSet, neuralDatasets } from './tensorSet.ts';
import { trainError } from '../../options/trainArgumentError.ts';

const loss = z.enum(lossNames);

/** What config files have of it; their model is in modelSection. */
export const neuralFields = {
  labelColumn: columnName.describe('The column to predict.'),
  featureColumns: z
    .union([columnList, z.record(z.string(), columnList).readonly()])
    .optional()
    .describe(
      "Columns of the model's input, in this order, or of each input by its name. Without it all but the label, or those named like the inputs.",
    ),
  inputScale: above0.optional().describe('Inputs are bytes; the model gets them times this, e.g. 1 / 255.'),
  inputOffset: z
    .number()
    .optional()
    .describe('Inputs are bytes; added after scaling, e.g. -1 with a scale of 1 / 127.5.'),
  loss: z
    .union([loss, z.strictObject({ name: loss, fromLogits: z.boolean() })])
    .describe(
      'What is made small: binaryCrossentropy, categoricalCrossentropy, meanSquaredError or sparseCategoricalCrossentropy; {"name": …, "fromLogits": true} for a model that ends in logits.',
    ),
  metrics: z
    .array(z.enum(metricNames))
    .max(metricNames.length)
    .readonly()
    .refine((names) => new Set(names).size === names.length, 'names one of them twice')
    .optional()
    .describe(`${metricNames.join(', ')}. Without it accuracy for the cross-entropies.`),
  optimizer,
  learningRateSchedule,
  clipNorm: above0.optional().describe('Gradients are scaled down to this norm.'),
  clipValue: above0.optional().describe('Gradients are cut to ± this value.'),
  numEpochs: wholeFrom(1)
    .optional()
    .describe('Times that all rows are gone through; 1 without it and maxSteps.'),
  maxSteps: wholeFrom(1).optional().describe('Steps to train, in place of numEpochs.'),
  globalBatchSize: wholeFrom(1).default(32).describe('Rows of a step, over all workers.'),
  microbatchSize: wholeFrom(1)
    .optional()
    .describe('Rows that a worker computes at a time. Without it the global batch over the most workers.'),
  seed: seed.default(0).describe('Of first weights, order of rows and dropout.'),
  gradientCodec: z
    .enum(gradientCodecs)
    .default('f32')
    .describe('How gradients travel. All but f32 are smaller and not exact.'),
  syncBatchNorm: z
    .boolean()
    .default(false)
    .describe('Batch normalisation over the microbatches of all workers; needs the compiled engine.'),
  localSteps: z
    .strictObject({
      steps: wholeFrom(1),
      outerLearningRate: above0.default(0.7),
      outerMomentum: belowOne.default(0.9),
    })
    .optional()
    .describe(
      '{"steps": 8, "outerLearningRate": 0.7, "outerMomentum": 0.9}: workers make so many steps on their own before an outer step brings them together (DiLoCo). The result then depends on the number of workers. Not with syncBatchNorm or profile.',
    ),
  centeredClip: z
    .strictObject({ radius: above0.default(1), iterations: wholeFrom(1).max(100).default(3) })
    .optional()
    .describe(
      '{"radius": 1, "iterations": 3}: contributions of workers are cut to this many median distances from their centre before they are added up (CenteredClip), so that a few can pull a step no farther. For three workers or more; not with localSteps or another gradientCodec than f32.',
    ),
  checkEverySteps: wholeFrom(0)
    .optional()
    .describe(
      "Where workers other than the owner's take part, one step in so many is done again with other roles, on average; 20 without it, 0 for none. Not with localSteps, syncBatchNorm or another gradientCodec than f32.",
    ),
  bucketBytes: wholeFrom(1024)
    .default(4 * 1024 * 1024)
    .describe('Gradients are exchanged in pieces of about this size; 4 MiB without it.'),
  reportEverySteps: wholeFrom(1)
    .optional()
    .describe('Metrics every so many steps; without it about four times a second.'),
  tuneKernels: z
    .boolean()
    .default(false)
    .describe(
      'Workers with WebGPU time tiles of their matrix products before the first step, for about 10 seconds at most, and keep what they find. Runs with other tiles round differently.',
    ),
  verifyEveryStep: z
    .boolean()
    .default(false)
    .describe("Compare the workers' parameters after every step, and not with the reports alone."),
  resumeFromCheckpoint: path
    .optional()
    .describe('Checkpoint of an earlier run, to go on until numEpochs or maxSteps in all.'),
};

/** What a config file and a script may not have together. */
export function checkLength(
  { numEpochs, maxSteps }: { readonly numEpochs?: unknown; readonly maxSteps?: unknown },
  context: z.RefinementCtx,
): void {
  if (numEpochs === undefined || maxSteps === undefined) return;
  const message = 'and numEpochs exclude each other';
  context.addIssue({ code: 'custom', path: ['maxSteps'], message });
}

export const neuralOptions = z
  .strictObject({
    ...neuralFields,
    datasets: neuralDatasets.describe('"train", and "valid" where metrics on other rows are wanted.'),
    labelColumn: columnName.optional().describe('The column to predict, of datasets that are tables.'),
    model: z
      .custom<ModelSource>(
        (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
      )
      .meta({ title: 'a tf.LayersModel, a path or a topology' })
      .describe(
        'A tf.LayersModel, a folder that tfjs has saved one in, or a topology such as resnet18() gives.',
      ),
    profile: z
      .boolean()
      .optional()
      .describe(
        "Times the ops and the exchange of the last step: profile.json and timeline.json in the run's folder. Steps are slower.",
      ),
    resumeFromCheckpoint: z
      .union([z.instanceof(NeuralCheckpoint).meta({ title: 'a NeuralCheckpoint' }), path])
      .optional()
      .describe(neuralFields.resumeFromCheckpoint.description ?? ''),
    ...trainerFields,
  })
  .superRefine(checkLength)
  .superRefine((options, context) => {
    const refuse = (field: string[], message: string): void =>
      context.addIssue({ code: 'custom', path: field, message });
    const { datasets, localSteps, labelColumn, featureColumns } = options;
    if (Object.values(datasets).every((data) => data === undefined || isTensorSet(data))) {
      for (const [field, value] of Object.entries({ labelColumn, featureColumns })) {
        if (value !== undefined) refuse([field], 'is for tables; tensors in memory have inputs and labels');
      }
    }
    refuseWithoutEffect(options, refuse);
    if (!localSteps) return;
    for (const field of ['syncBatchNorm', 'profile'] as const) {
      if (options[field] === true) refuse([field], 'and localSteps exclude each other');
    }
    const frequency = options.runConfig.checkpointConfig.checkpointFrequency;
    if (frequency % localSteps.steps === 0) return;
    refuse(
      ['runConfig', 'checkpointConfig', 'checkpointFrequency'],
      `is ${frequency}; expected a multiple of localSteps.steps (${localSteps.steps}): there is no common state between outer steps`,
    );
  });

interface StepOptions {
  readonly centeredClip?: CenteredClipSpec | undefined;
  readonly checkEverySteps?: number | undefined;
  readonly localSteps?: LocalSteps | undefined;
  readonly gradientCodec: GradientCodec;
  readonly syncBatchNorm: boolean;
  readonly scalingConfig: { readonly numWorkers: number | readonly number[] };
}

/** Options that would do nothing, or not what they say. */
function refuseWithoutEffect(
  { centeredClip, checkEverySteps = 0, localSteps, gradientCodec, syncBatchNorm, scalingConfig }: StepOptions,
  refuse: (field: string[], message: string) => void,
): void {
  const isCompressed = gradientCodec !== 'f32';
  if (centeredClip) {
    const { numWorkers } = scalingConfig;
    const most = typeof numWorkers === 'number' ? numWorkers : Math.max(...numWorkers);
    if (localSteps) refuse(['centeredClip'], 'and localSteps exclude each other');
    if (isCompressed) refuse(['centeredClip'], `and gradientCodec "${gradientCodec}" exclude each other`);
    if (most < 3) refuse(['centeredClip'], `has no effect on ${most} workers; expected three or more`);
  }
  if (checkEverySteps === 0) return;
  if (localSteps) refuse(['checkEverySteps'], 'has no effect with localSteps: steps are not checked then');
  if (syncBatchNorm)
    refuse(['checkEverySteps'], 'has no effect with syncBatchNorm: steps are not checked then');
  if (isCompressed)
    refuse(
      ['checkEverySteps'],
      `has no effect with gradientCodec "${gradientCodec}": steps are not checked then`,
    );
}

/** What an owner passes to NeuralTrainer; the config keys of docs/config.md, and what only a script can hold. */
export interface NeuralTrainerOptions extends Readonly<z.input<typeof neuralOptions>> {}

/** Options with defaults filled in, as far as that needs neither model nor data. */
export interface NeuralSettings extends RunSettings {
  readonly options: NeuralTrainerOptions;
  readonly loss: { readonly name: LossName; readonly fromLogits: boolean | undefined };
  readonly metrics: readonly MetricName[];
  readonly optimizer: OptimizerSpec;
  readonly schedule: LearningRateSchedule;
  readonly globalBatchSize: number;
  readonly microbatchSize: number;
  readonly seed: number;
  readonly gradientCodec: GradientCodec;
  readonly localSteps: LocalSteps | undefined;
  readonly centeredClip: CenteredClipSpec | undefined;
  readonly bucketBytes: number;
}

/** @throws TrainArgumentError naming the option. */
export function resolveNeural(options: NeuralTrainerOptions): NeuralSettings {
  const checked = checkOptions(neuralOptions, options, trainError);
  const run = runSettings(checked, 'neural');
  const { globalBatchSize, gradientCodec, localSteps, centeredClip, bucketBytes } = checked;
  const named =
    typeof checked.loss === 'string' ? { name: checked.loss, fromLogits: undefined } : checked.loss;
  const { optimizer: rule, learningRate } = resolveOptimizer(checked.optimizer);
  return {
    ...run,
    options,
    loss: named,
    metrics: checked.metrics ?? (named.name === 'meanSquaredError' ? [] : ['accuracy']),
    optimizer: rule,
    schedule: resolveSchedule(learningRate, checked.learningRateSchedule),
    globalBatchSize,
    microbatchSize: checked.microbatchSize ?? Math.ceil(globalBatchSize / run.workers.max),
    seed: checked.seed,
    gradientCodec,
    localSteps,
    centeredClip,
    bucketBytes,
  };
}
