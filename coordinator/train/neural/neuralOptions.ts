// What an owner passes to NeuralTrainer, in Ray's and Keras's names, and its check. Everything that needs neither model
// nor data is refused here.

import type { GradientCodec, LocalSteps } from '../../../shared/neural/run/neuralSpec.ts';
import { gradientCodecs } from '../../../shared/neural/run/neuralSpec.ts';
import type { LearningRateSchedule } from '../../../shared/neural/run/learningRate.ts';
import type { OptimizerSpec } from '../../../kernels/neural/optimizer.ts';
import type { LossName, MetricName } from '../../../shared/neural/trainingEngine.ts';
import {
  argument,
  checkDatasetNames,
  refuseUnknown,
  resolveRun,
  wholeNumber,
  type RunSettings,
} from '../../options/runOptions.ts';
import type { RunConfig, ScalingConfig } from '../../options/runOptions.ts';
import type { ModelSource } from '../../checkpoint/modelSource.ts';
import type { NeuralCheckpoint } from '../../checkpoint/neuralCheckpoint.ts';
import {
  resolveOptimizer,
  resolveSchedule,
  type OptimizerOptions,
  type ScheduleOptions,
} from './optimizerOptions.ts';
import { flag, numberAbove, numberFrom, oneOf, optionsOf } from './optionChecks.ts';
import type { NeuralData } from './prepareTensors.ts';
import { isTensorColumn, isTensorSet } from './tensorSet.ts';

interface LocalStepsOptions {
  /** From 1. */
  readonly steps: number;
  readonly outerLearningRate?: number;
  readonly outerMomentum?: number;
}

export interface NeuralTrainerOptions {
  /** "train", and "valid" where metrics on other rows are wanted. */
  readonly datasets: { readonly train: NeuralData; readonly valid?: NeuralData };
  /** A tf.LayersModel, a folder that tfjs has saved one in, or a topology such as resnet18() gives. */
  readonly model: ModelSource;
  /** Of datasets that are tables. */
  readonly labelColumn?: string;
  /** Columns of the model's input, or of each by its name. Default: all but the label, or those named like the inputs. */
  readonly featureColumns?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Inputs are bytes; the model gets them times this, e.g. 1 / 255. */
  readonly inputScale?: number;
  /** Inputs are bytes; added after scaling, e.g. -1 with a scale of 1 / 127.5. */
  readonly inputOffset?: number;
  readonly loss: LossName | { readonly name: LossName; readonly fromLogits: boolean };
  /** Default: accuracy for the cross-entropies, else none. */
  readonly metrics?: readonly MetricName[];
  /** Default Adam. */
  readonly optimizer?: OptimizerOptions | OptimizerOptions['name'];
  readonly learningRateSchedule?: ScheduleOptions;
  /** Gradients are scaled down to this norm, or cut to ± this value. */
  readonly clipNorm?: number;
  readonly clipValue?: number;
  /** Default 1, unless maxSteps says how long. */
  readonly numEpochs?: number;
  readonly maxSteps?: number;
  /** Examples of a step over all workers; default 32. */
  readonly globalBatchSize?: number;
  /** Examples that a worker computes at a time; default: the global batch over the most workers. */
  readonly microbatchSize?: number;
  /** Of first weights, order of rows and dropout; default 0. */
  readonly seed?: number;
  /** How gradients travel; default "f32". The others are smaller and not exact. */
  readonly gradientCodec?: GradientCodec;
  /** Batch normalisation over a microbatch of every worker at a time; needs the compiled engine. */
  readonly syncBatchNorm?: boolean;
  /**
   * Workers make so many steps on their own before an outer step brings them together (DiLoCo): less is exchanged, and the
   * result depends on the number of workers. The outer step's rate is 0.7 and its Nesterov momentum 0.9 unless given.
   */
  readonly localSteps?: LocalStepsOptions;
  /** Gradients are exchanged in pieces of about this size; default 4 MiB. */
  readonly bucketBytes?: number;
  /** Metrics every so many steps; default: about four times a second. */
  readonly reportEverySteps?: number;
  /** Compare the workers' parameters after every step, and not with the reports alone. */
  readonly verifyEveryStep?: boolean;
  /** Times the ops and the exchange of the last step: profile.json and timeline.json in the run's folder. Steps are slower. */
  readonly profile?: boolean;
  /**
   * Workers with WebGPU time the likeliest tiles of their matrix products before the first step, for about 10 seconds at most, and keep
   * what they find for their next run. Without it tiles are estimated. Runs with other tiles round differently.
   */
  readonly tuneKernels?: boolean;
  /** A checkpoint to go on from, until numEpochs or maxSteps in all. */
  readonly resumeFromCheckpoint?: NeuralCheckpoint | string;
  readonly scalingConfig?: ScalingConfig;
  readonly runConfig?: RunConfig;
}

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
  readonly bucketBytes: number;
}

const known = [
  'datasets',
  'model',
  'labelColumn',
  'featureColumns',
  'inputScale',
  'inputOffset',
  'loss',
  'metrics',
  'optimizer',
  'learningRateSchedule',
  'clipNorm',
  'clipValue',
  'numEpochs',
  'maxSteps',
  'globalBatchSize',
  'microbatchSize',
  'seed',
  'gradientCodec',
  'syncBatchNorm',
  'localSteps',
  'bucketBytes',
  'reportEverySteps',
  'verifyEveryStep',
  'profile',
  'tuneKernels',
  'resumeFromCheckpoint',
  'scalingConfig',
  'runConfig',
] as const satisfies readonly (keyof NeuralTrainerOptions)[];

const lossNames: readonly LossName[] = [
  'binaryCrossentropy',
  'categoricalCrossentropy',
  'meanSquaredError',
  'sparseCategoricalCrossentropy',
];
const metricNames: readonly MetricName[] = ['accuracy', 'meanAbsoluteError', 'meanSquaredError'];
const DEFAULT_BATCH = 32;
const DEFAULT_BUCKET_BYTES = 4 * 1024 * 1024;

/** @throws TrainArgumentError naming the option. */
export function resolveNeural(options: NeuralTrainerOptions): NeuralSettings {
  refuseUnknown('', options, known);
  const run = resolveRun(options, 'neural');
  checkDatasetNames(options.datasets);
  const other = Object.keys(options.datasets).find((name) => name !== 'train' && name !== 'valid');
  if (other !== undefined) throw argument('datasets', `has "${other}"; expected train and valid`);
  const { numEpochs, maxSteps, globalBatchSize = DEFAULT_BATCH, seed = 0 } = options;
  if (numEpochs !== undefined && maxSteps !== undefined)
    throw argument('maxSteps', 'and numEpochs exclude each other');
  if (numEpochs !== undefined) wholeNumber('numEpochs', numEpochs, 1);
  if (maxSteps !== undefined) wholeNumber('maxSteps', maxSteps, 1);
  wholeNumber('globalBatchSize', globalBatchSize, 1);
  const microbatchSize = options.microbatchSize ?? Math.ceil(globalBatchSize / run.workers.max);
  wholeNumber('microbatchSize', microbatchSize, 1);
  const loss = resolveLoss(options.loss);
  const metrics = options.metrics ?? (loss.name === 'meanSquaredError' ? [] : ['accuracy']);
  if (!Array.isArray(metrics)) throw argument('metrics', `must be a list of ${metricNames.join(', ')}`);
  for (const metric of metrics) oneOf('metrics', metric, metricNames);
  if (new Set(metrics).size < metrics.length) throw argument('metrics', 'names one of them twice');
  checkSets(options);
  const { optimizer, learningRate } = resolveOptimizer(options.optimizer ?? 'adam');
  for (const field of ['clipNorm', 'clipValue', 'inputScale'] as const) {
    if (options[field] !== undefined) numberAbove(field, options[field], 0);
  }
  if (options.inputOffset !== undefined) numberFrom('inputOffset', options.inputOffset, -Number.MAX_VALUE);
  for (const field of ['profile', 'syncBatchNorm', 'tuneKernels', 'verifyEveryStep'] as const) {
    if (options[field] !== undefined) flag(field, options[field]);
  }
  if (options.reportEverySteps !== undefined) wholeNumber('reportEverySteps', options.reportEverySteps, 1);
  return {
    ...run,
    options,
    loss,
    metrics,
    optimizer,
    schedule: resolveSchedule(learningRate, options.learningRateSchedule ?? { name: 'constant' }),
    globalBatchSize,
    microbatchSize,
    seed: wholeNumber('seed', seed, 0),
    gradientCodec: oneOf('gradientCodec', options.gradientCodec ?? 'f32', gradientCodecs),
    localSteps: options.localSteps && resolveLocalSteps(options.localSteps, options),
    bucketBytes: wholeNumber('bucketBytes', options.bucketBytes ?? DEFAULT_BUCKET_BYTES, 1024),
  };
}

/** What a set in memory has no use for, or what is missing in it. */
function checkSets({ datasets, labelColumn, featureColumns }: NeuralTrainerOptions): void {
  const sets = Object.entries(datasets);
  for (const [name, data] of sets) {
    if (!isTensorSet(data)) continue;
    refuseUnknown(`datasets.${name}`, data, ['inputs', 'labels']);
    const inputs = isTensorColumn(data.inputs) ? [data.inputs] : Object.values(data.inputs);
    for (const column of [data.labels, ...inputs])
      refuseUnknown(`datasets.${name}`, column, ['values', 'shape']);
  }
  if (!sets.every(([, data]) => isTensorSet(data))) return;
  for (const [field, value] of Object.entries({ labelColumn, featureColumns })) {
    if (value !== undefined) throw argument(field, 'is for tables; tensors in memory have inputs and labels');
  }
}

function resolveLoss(given: NeuralTrainerOptions['loss']): NeuralSettings['loss'] {
  if (typeof given === 'string') return { name: oneOf('loss', given, lossNames), fromLogits: undefined };
  const options = optionsOf('loss', given);
  refuseUnknown('loss', options, ['name', 'fromLogits']);
  const { fromLogits } = options as { fromLogits?: boolean };
  return {
    name: oneOf('loss', options.name, lossNames),
    fromLogits: fromLogits === undefined ? undefined : flag('loss.fromLogits', fromLogits),
  };
}

function resolveLocalSteps(given: LocalStepsOptions, options: NeuralTrainerOptions): LocalSteps {
  refuseUnknown('localSteps', given, ['steps', 'outerLearningRate', 'outerMomentum']);
  const { outerLearningRate = 0.7, outerMomentum = 0.9 } = given;
  const steps = wholeNumber('localSteps.steps', given.steps, 1);
  numberAbove('localSteps.outerLearningRate', outerLearningRate, 0);
  numberFrom('localSteps.outerMomentum', outerMomentum, 0, { below: 1 });
  for (const field of ['syncBatchNorm', 'profile'] as const) {
    if (options[field] === true) throw argument(field, 'and localSteps exclude each other');
  }
  const frequency = options.runConfig?.checkpointConfig?.checkpointFrequency ?? 0;
  if (frequency % steps !== 0) {
    throw argument(
      'runConfig.checkpointConfig.checkpointFrequency',
      `is ${frequency}; expected a multiple of localSteps.steps (${steps}): there is no common state between outer steps`,
    );
  }
  return { steps, outerLearningRate, outerMomentum };
}
