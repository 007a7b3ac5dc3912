// What an owner passes to GBDTTrainer, in Ray's names, and its check. Everything that needs no data is refused here,
// before any file is opened or worker started.

import { resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { nearestWord } from '../../shared/text/nearestWord.ts';
import { resolveParams, type GbdtParams } from '../../shared/gbdt/params.ts';
import type { LocalDevice, LocalRuntime } from '../local/localWorker.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { TrainingData } from './prepare/trainingData.ts';
import type { TrainLoop, TrainLoopSpec } from '../../shared/gbdt/trainLoop.ts';
import { TrainArgumentError } from './trainErrors.ts';
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
  /** The coordinator's admin token. Default: TABGRAD_ADMIN_TOKEN. */
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
export interface TrainerSettings {
  readonly options: GBDTTrainerOptions;
  readonly params: GbdtParams;
  readonly numBoostRound: number;
  readonly trainLoop: TrainLoopSpec | undefined;
  readonly workers: { readonly min: number; readonly max: number };
  readonly name: string;
  /** Absolute path of the run's folder. */
  readonly folder: string;
  readonly maxFailures: number;
  readonly checkpoints: CheckpointConfig & { readonly scoreOrder: 'max' | 'min' };
}

const known = {
  '': [
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
  ],
  scalingConfig: ['numWorkers', 'runtime', 'device', 'url', 'token'],
  runConfig: ['name', 'storagePath', 'checkpointConfig', 'failureConfig', 'callbacks', 'verbose'],
  checkpointConfig: ['numToKeep', 'scoreAttribute', 'scoreOrder', 'checkpointFrequency'],
  failureConfig: ['maxFailures'],
} as const;

/** @throws TrainArgumentError naming the option; UnknownParameterError, ParameterRangeError. */
export function resolveOptions(options: GBDTTrainerOptions): TrainerSettings {
  const { scalingConfig = {}, runConfig = {} } = options;
  const { checkpointConfig = {}, failureConfig = {} } = runConfig;
  refuseUnknown('', options);
  refuseUnknown('scalingConfig', scalingConfig);
  refuseUnknown('runConfig', runConfig);
  refuseUnknown('checkpointConfig', checkpointConfig);
  refuseUnknown('failureConfig', failureConfig);
  if (typeof options.datasets !== 'object' || !('train' in options.datasets)) {
    throw argument('datasets', 'needs an entry named "train"');
  }
  for (const name of Object.keys(options.datasets)) {
    if (!/^[\w.-]{1,64}$/.test(name))
      throw argument('datasets', `has the name "${name}"; expected letters, digits, "_", "-", "."`);
  }
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
  const { numToKeep, checkpointFrequency = 0, scoreOrder = 'max' } = checkpointConfig;
  if (numToKeep !== undefined) wholeNumber('runConfig.checkpointConfig.numToKeep', numToKeep, 1);
  wholeNumber('runConfig.checkpointConfig.checkpointFrequency', checkpointFrequency, 0);
  if (scoreOrder !== 'max' && scoreOrder !== 'min') {
    throw argument(
      'runConfig.checkpointConfig.scoreOrder',
      `is "${String(scoreOrder)}"; expected "max" or "min"`,
    );
  }
  const { maxFailures = 0 } = failureConfig;
  wholeNumber('runConfig.failureConfig.maxFailures', maxFailures, -1);
  const { name = `gbdt-${randomUUID().slice(0, 8)}`, storagePath = 'results' } = runConfig;
  if (!/^[\w.-]{1,100}$/.test(name) || /^\.+$/.test(name)) {
    throw argument('runConfig.name', `is "${name}"; expected letters, digits, "_", "-" and "." only`);
  }
  return {
    options,
    params: resolveParams(options.params ?? {}),
    numBoostRound: wholeNumber('numBoostRound', options.numBoostRound ?? 10, 1),
    trainLoop:
      options.trainLoopPerWorker && trainLoopSpec(options.trainLoopPerWorker, options.trainLoopConfig),
    workers: workerRange(scalingConfig.numWorkers ?? 1),
    name,
    folder: resolve(storagePath, name),
    maxFailures,
    checkpoints: { ...checkpointConfig, checkpointFrequency, scoreOrder },
  };
}

function workerRange(numWorkers: number | readonly [number, number]): { min: number; max: number } {
  const [min, max] = typeof numWorkers === 'number' ? [numWorkers, numWorkers] : numWorkers;
  wholeNumber('scalingConfig.numWorkers', min, 1);
  wholeNumber('scalingConfig.numWorkers', max, 1);
  if (min > max) {
    throw argument('scalingConfig.numWorkers', `is [${min}, ${max}]; expected the fewest first`);
  }
  return { min, max };
}

function wholeNumber(field: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= 2 ** 31) return value;
  throw argument(field, `is ${String(value)}; expected a whole number of at least ${least}`);
}

function refuseUnknown(section: keyof typeof known, value: object): void {
  const names: readonly string[] = known[section];
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    const near = nearestWord(name, names);
    const hint = near === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${near}?`;
    throw argument(section === '' ? name : `${section}.${name}`, `is not an option; ${hint}`);
  }
}

function argument(field: string, what: string): TrainArgumentError {
  return new TrainArgumentError(`${field} ${what}.`, { field });
}
