// What an owner passes to DataParallelTrainer, in Ray's names, and its check.

import type { DataParallelLoop } from '../../../shared/neural/loop/dataParallelLoop.ts';
import type { ModuleExport } from '../../program/bundleModule.ts';
import { trainLoopSpec } from '../gbdt/trainLoopSpec.ts';
import {
  argument,
  refuseUnknown,
  resolveRun,
  wholeNumber,
  type RunSettings,
} from '../../options/runOptions.ts';
import type { RunConfig, ScalingConfig } from '../../options/runOptions.ts';
import type { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { isTable, type LoopData } from './prepareColumns.ts';

export interface DataParallelTrainerOptions {
  /**
   * What every worker runs, written with tfjs: a function that uses nothing but its arguments, which travels as text; or
   * an export of a module, which travels with all that it imports.
   */
  readonly trainLoopPerWorker: DataParallelLoop<never> | ModuleExport;
  /** Its first argument: plain JSON. */
  readonly trainLoopConfig?: unknown;
  /** Tables whose columns hold numbers or lists of them, or columns in memory. Loops ask for them by name. */
  readonly datasets?: Readonly<Record<string, LoopData>>;
  /** Of the order of rows; default 0. */
  readonly seed?: number;
  /** Longest wait for a worker that does not come to a report or a collective; default 300 seconds. */
  readonly timeoutS?: number;
  /** Ends the run after so many reports though the loop would go on; without it the loop ends by returning. */
  readonly maxReports?: number;
  /** A checkpoint of an earlier run, for context.getCheckpoint(). */
  readonly resumeFromCheckpoint?: DataParallelCheckpoint | string;
  readonly scalingConfig?: ScalingConfig;
  readonly runConfig?: RunConfig;
}

type TravellingCode =
  | { readonly kind: 'module'; readonly target: ModuleExport }
  | { readonly kind: 'text'; readonly source: string };

/** Options with defaults filled in. */
export interface LoopSettings extends RunSettings {
  readonly options: DataParallelTrainerOptions;
  readonly code: TravellingCode;
  readonly config: unknown;
  readonly datasets: Readonly<Record<string, LoopData>>;
  readonly seed: number;
  readonly timeoutMs: number;
  readonly maxReports: number;
}

const known = [
  'trainLoopPerWorker',
  'trainLoopConfig',
  'datasets',
  'seed',
  'timeoutS',
  'maxReports',
  'resumeFromCheckpoint',
  'scalingConfig',
  'runConfig',
] as const satisfies readonly (keyof DataParallelTrainerOptions)[];
/** No loop reports so often. */
const ENDLESS = 1_000_000;
const DEFAULT_TIMEOUT_S = 300;

/** @throws TrainArgumentError naming the option. */
export function resolveLoop(options: DataParallelTrainerOptions): LoopSettings {
  refuseUnknown('', options, known);
  const { trainLoopPerWorker: loop, trainLoopConfig, datasets = {}, seed = 0 } = options;
  const { timeoutS = DEFAULT_TIMEOUT_S, maxReports = ENDLESS } = options;
  for (const [name, data] of Object.entries(datasets)) {
    if (!/^[\w.-]{1,64}$/.test(name)) {
      throw argument('datasets', `has the name "${name}"; expected letters, digits, "_", "-", "."`);
    }
    if (isTable(data)) continue;
    for (const [column, given] of Object.entries(data))
      refuseUnknown(`datasets.${name}.${column}`, given, ['values', 'shape']);
  }
  if (!(timeoutS > 0 && timeoutS < 1e6))
    throw argument('timeoutS', `is ${timeoutS}; expected seconds above 0`);
  const isModule = typeof loop === 'object' && loop !== null && 'module' in loop;
  // Of a module only the settings travel as they are.
  const { source, config } = trainLoopSpec(isModule ? () => undefined : loop, trainLoopConfig);
  return {
    ...resolveRun(options, 'loop'),
    options,
    code: isModule ? { kind: 'module', target: loop } : { kind: 'text', source },
    config,
    datasets,
    seed: wholeNumber('seed', seed, 0),
    timeoutMs: timeoutS * 1000,
    maxReports: wholeNumber('maxReports', maxReports, 1),
  };
}
