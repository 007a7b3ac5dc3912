// What an owner passes to GBDTTrainer, in Ray's names, and its check. Everything that needs no data is refused here,
// before any file is opened or worker started.

import { resolveParams, type GbdtParams } from '../../shared/gbdt/params.ts';
import type { LocalDevice, LocalRuntime } from '../local/localWorker.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { TrainingData } from './prepare/trainingData.ts';
import type { TrainLoop, TrainLoopSpec } from '../../shared/gbdt/trainLoop.ts';
import { argument, checkDatasetNames, refuseUnknown, resolveRun, wholeNumber } from './runOptions.ts';
import type { RunSettings } from './runOptions.ts';
import { trainLoopSpec } from './trainLoopSpec.ts';

export interface ScalingConfig {
  /** How many workers train, or [fewest, most]: the run starts with the fewest and takes up to the most. Default 1. */
  readonly numWorkers?: number | readonly [number, number];
  /** What they run on; a list for a mixed group of local workers. Default "node". */
  readonly runtime?: LocalRuntime | readonly LocalRuntime[];
  /** Default "auto": WebGPU where a real GPU is there, else the processor. */
  readonly device?: LocalDevice;
  /** A coordinator that is up already, with workers of its own. Default: TABGRAD_URL, else an embedded one. */
  readonly url?: string;
  /** The coordinator's admin token. Default: TABGRAD_ADMIN_TOKEN, or what your own coordinator on this machine left for you. */
  readonly token?: string;
}

export interface CheckpointConfig {
  /** How many checkpoints are kept; all when left out. The last one is always among them. */
  readonly numToKeep?: number;
  /** Keep the best by this metric, e.g. "valid-auc", and not the most recent. */
  readonly scoreAttribute?: string;
  /** Default "max". */
  readonly scoreOrder?: 'max' | 'min';
  /** A checkpoint every so many rounds; 0, the default, writes one at the end. */
  readonly checkpointFrequency?: number;
}

export interface RunCallback {
  /** Everything that happens, in order; see ProgressEvent. What it throws ends the run, and fit rejects with it. */
  onEvent?(event: ProgressEvent): void;
  onCheckpoint?(checkpoint: Checkpoint, metrics: Readonly<Record<string, number>>): void;
  /** Things that are allowed and probably not meant. */
  onWarning?(message: string): void;
}

export interface RunConfig {
  /** Name of the run and of its folder. Default: gbdt and a random suffix. */
  readonly name?: string;
  /** Folder that results are written under. Default "results". */
  readonly storagePath?: string;
  readonly checkpointConfig?: CheckpointConfig;
  /** Failures of workers that are forgiven; -1 forgives any number. A lost worker is no failure. Default 0. */
  readonly failureConfig?: { readonly maxFailures?: number };
  readonly callbacks?: readonly RunCallback[];
  /** 0 silent, 1 warnings on stderr (default), 2 also what local workers say. */
  readonly verbose?: 0 | 1 | 2;
}

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
