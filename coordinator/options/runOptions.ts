// Options that all trainers have in common, in Ray's names, and their checks.

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { sentence } from '../../shared/text/sentence.ts';
import { unknownKey } from '../../shared/text/unknownKey.ts';
import { TrainArgumentError } from './trainArgumentError.ts';
import { localDevices, localRuntimes, type LocalDevice, type LocalRuntime } from './localWorker.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';

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
  /** Replace an earlier run of the name. Default false: a folder with a finished run or checkpoints is refused. */
  readonly overwrite?: boolean;
  readonly checkpointConfig?: CheckpointConfig;
  /** Failures of workers that are forgiven; -1 forgives any number. A lost worker is no failure. Default 0. */
  readonly failureConfig?: { readonly maxFailures?: number };
  readonly callbacks?: readonly RunCallback[];
  /** 0 silent, 1 warnings on stderr (default), 2 also what local workers say. */
  readonly verbose?: 0 | 1 | 2;
}

/** Where a run happens and what it leaves, with defaults filled in. */
export interface RunSettings {
  readonly workers: { readonly min: number; readonly max: number };
  readonly name: string;
  /** Absolute path of the run's folder. */
  readonly folder: string;
  readonly overwrite: boolean;
  readonly maxFailures: number;
  readonly checkpoints: CheckpointConfig & { readonly scoreOrder: 'max' | 'min' };
}

const known = {
  scalingConfig: ['numWorkers', 'runtime', 'device', 'url', 'token'],
  runConfig: [
    'name',
    'storagePath',
    'overwrite',
    'checkpointConfig',
    'failureConfig',
    'callbacks',
    'verbose',
  ],
  checkpointConfig: ['numToKeep', 'scoreAttribute', 'scoreOrder', 'checkpointFrequency'],
  failureConfig: ['maxFailures'],
} as const;

/** @param kind begins the name of a run that has none. @throws TrainArgumentError naming the option. */
export function resolveRun(
  { scalingConfig = {}, runConfig = {} }: { scalingConfig?: ScalingConfig; runConfig?: RunConfig },
  kind: string,
): RunSettings {
  const { checkpointConfig = {}, failureConfig = {} } = runConfig;
  refuseUnknown('scalingConfig', scalingConfig, known.scalingConfig);
  refuseUnknown('runConfig', runConfig, known.runConfig);
  refuseUnknown('checkpointConfig', checkpointConfig, known.checkpointConfig);
  refuseUnknown('failureConfig', failureConfig, known.failureConfig);
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
  const { name = `${kind}-${randomUUID().slice(0, 8)}`, storagePath = 'results' } = runConfig;
  if (!/^[\w.-]{1,100}$/.test(name) || /^\.+$/.test(name)) {
    throw argument('runConfig.name', `is "${name}"; expected letters, digits, "_", "-" and "." only`);
  }
  const { overwrite = false } = runConfig;
  if (typeof overwrite !== 'boolean') throw argument('runConfig.overwrite', 'is neither true nor false');
  const { runtime = 'node', device = 'auto' } = scalingConfig;
  const runtimes = [runtime].flat();
  if (runtimes.length === 0) throw argument('scalingConfig.runtime', 'is an empty list');
  for (const one of runtimes) oneOf('scalingConfig.runtime', one, localRuntimes);
  oneOf('scalingConfig.device', device, localDevices);
  return {
    workers: workerRange(scalingConfig.numWorkers ?? 1),
    name,
    folder: resolve(storagePath, name),
    overwrite,
    maxFailures,
    checkpoints: { ...checkpointConfig, checkpointFrequency, scoreOrder },
  };
}

/** @throws TrainArgumentError */
export function checkDatasetNames(datasets: unknown): void {
  if (typeof datasets !== 'object' || datasets === null || !('train' in datasets)) {
    throw argument('datasets', 'needs an entry named "train"');
  }
  for (const name of Object.keys(datasets)) {
    if (!/^[\w.-]{1,64}$/.test(name))
      throw argument('datasets', `has the name "${name}"; expected letters, digits, "_", "-", "."`);
  }
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

function oneOf(field: string, value: unknown, words: readonly string[]): void {
  if (typeof value === 'string' && words.includes(value)) return;
  throw argument(field, `is ${JSON.stringify(value)}; expected one of ${words.join(', ')}`);
}

const MOST = 2 ** 31;

/** @throws TrainArgumentError */
export function wholeNumber(field: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value <= MOST) return value;
  throw argument(field, `is ${String(value)}; expected a whole number from ${least} to ${MOST}`);
}

/** @throws TrainArgumentError naming the option, with the one that was probably meant. */
export function refuseUnknown(section: string, value: object, names: readonly string[]): void {
  const unknown = unknownKey(value, names);
  if (unknown) throw argument(section === '' ? unknown.key : `${section}.${unknown.key}`, unknown.problem);
}

export function argument(field: string, what: string): TrainArgumentError {
  return new TrainArgumentError(sentence(`${field} ${what}`), { field });
}
