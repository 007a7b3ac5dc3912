// What an owner passes to GBDTTrainer, in Ray's names, and its check. Everything that needs no data is refused here,
// before any file is opened or worker started.

import { resolveParams, type GbdtParams } from '../../../shared/gbdt/params.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { TrainingData } from './trainingData.ts';
import type { TrainLoop, TrainLoopSpec } from '../../../shared/gbdt/trainLoop.ts';
import {
  argument,
  checkDatasetNames,
  refuseUnknown,
  resolveRun,
  wholeNumber,
} from '../../options/runOptions.ts';
import type { RunConfig, RunSettings, ScalingConfig } from '../../options/runOptions.ts';
import { trainLoopSpec } from './trainLoopSpec.ts';

export interface GBDTTrainerOptions {
  /** "train", and any number of evaluation sets, e.g. "valid"; metrics are reported for all, as "valid-logloss". */
  readonly datasets: Readonly<Record<string, TrainingData>>;
  readonly labelColumn: string;
  readonly weightColumn?: string;
  /** Features, in this order. Default: all columns but label and weight. */
  readonly featureColumns?: readonly string[];
  /** XGBoost's parameters under XGBoost's names. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Default 10. With trainLoopPerWorker: the most rounds that the loop may train. */
  readonly numBoostRound?: number;
  /**
   * The owner's own loop over rounds, run by every worker: a function that uses nothing but its arguments. It may change
   * parameters from round to round and return early; it is called again, at context.round, when the group changes.
   */
  readonly trainLoopPerWorker?: TrainLoop<never>;
  /** First argument of trainLoopPerWorker: plain JSON. */
  readonly trainLoopConfig?: unknown;
  /** Stop when the last metric of the last evaluation set has not improved for so many rounds. */
  readonly earlyStoppingRounds?: number;
  /** A model to add numBoostRound rounds to: a checkpoint, its folder, or a model.json of XGBoost. */
  readonly xgbModel?: Checkpoint | string;
  /** A checkpoint of an interrupted run: trains the rounds that numBoostRound has beyond it. */
  readonly resumeFromCheckpoint?: Checkpoint | string;
  readonly scalingConfig?: ScalingConfig;
  readonly runConfig?: RunConfig;
}

/** Options with defaults filled in. */
export interface TrainerSettings extends RunSettings {
  readonly options: GBDTTrainerOptions;
  readonly params: GbdtParams;
  readonly numBoostRound: number;
  readonly trainLoop: TrainLoopSpec | undefined;
}

const known = [
  'datasets',
  'labelColumn',
  'weightColumn',
  'featureColumns',
  'params',
  'numBoostRound',
  'trainLoopPerWorker',
  'trainLoopConfig',
  'earlyStoppingRounds',
  'xgbModel',
  'resumeFromCheckpoint',
  'scalingConfig',
  'runConfig',
];

/** @throws TrainArgumentError naming the option; UnknownParameterError, ParameterRangeError. */
export function resolveOptions(options: GBDTTrainerOptions): TrainerSettings {
  refuseUnknown('', options, known);
  const run = resolveRun(options, 'gbdt');
  checkDatasetNames(options.datasets);
  if (typeof options.labelColumn !== 'string')
    throw argument('labelColumn', 'must name the column to predict');
  const { earlyStoppingRounds, xgbModel, resumeFromCheckpoint } = options;
  if (earlyStoppingRounds !== undefined) {
    wholeNumber('earlyStoppingRounds', earlyStoppingRounds, 1);
    if (Object.keys(options.datasets).length < 2) {
      throw argument('earlyStoppingRounds', 'needs an evaluation set beside "train" in datasets');
    }
  }
  if (xgbModel !== undefined && resumeFromCheckpoint !== undefined) {
    throw argument('xgbModel', 'and resumeFromCheckpoint exclude each other');
  }
  return {
    options,
    params: resolveParams(options.params ?? {}),
    numBoostRound: wholeNumber('numBoostRound', options.numBoostRound ?? 10, 1),
    trainLoop:
      options.trainLoopPerWorker && trainLoopSpec(options.trainLoopPerWorker, options.trainLoopConfig),
    ...run,
  };
}
