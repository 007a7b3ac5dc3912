// What an owner passes to DataParallelTrainer, in Ray's names.

import { z } from 'zod';
import type { DataParallelLoop } from '../../../shared/neural/loop/dataParallelLoop.ts';
import { DataParallelCheckpoint } from '../../checkpoint/dataParallelCheckpoint.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { path, seed, wholeFrom } from '../../schema/optionWords.ts';
import { runSettings, trainerFields, type RunSettings } from '../../options/runOptions.ts';
import type { ModuleExport } from '../../program/bundleModule.ts';
import { trainLoopSpec } from '../gbdt/trainLoopSpec.ts';
import { loopDatasets, type LoopData } from './tensorSet.ts';
import { trainError } from '../../options/trainArgumentError.ts';

/** No loop reports so often. */
const ENDLESS = 1_000_000;
const DEFAULT_TIMEOUT_S = 300;

export const loopOptions = z.strictObject({
  trainLoopPerWorker: z
    .custom<DataParallelLoop<never> | ModuleExport>(
      (value) => typeof value === 'function' || isModuleExport(value),
    )
    .meta({ title: 'a function with source text, or an export of a module' })
    .describe(
      'What every worker runs, written with tfjs: a function that uses nothing but its arguments, which travels as text; or an export of a module, which travels with all that it imports.',
    ),
  trainLoopConfig: z.unknown().optional().describe('Its first argument: plain JSON.'),
  datasets: loopDatasets
    .default({})
    .describe(
      'Tables whose columns hold numbers or lists of them, or columns in memory. Loops ask for them by name.',
    ),
  seed: seed.default(0).describe('Of the order of rows.'),
  timeoutS: z
    .number()
    .gt(0)
    .lt(1_000_000)
    .default(DEFAULT_TIMEOUT_S)
    .describe('Longest wait for a worker that does not come to a report or a collective, in seconds.'),
  maxReports: wholeFrom(1)
    .default(ENDLESS)
    .describe(
      'Ends the run after so many reports though the loop would go on; without it the loop ends by returning.',
    ),
  resumeFromCheckpoint: z
    .union([z.instanceof(DataParallelCheckpoint).meta({ title: 'a DataParallelCheckpoint' }), path])
    .optional()
    .describe('A checkpoint of an earlier run, for context.getCheckpoint().'),
  ...trainerFields,
});

/** What an owner passes to DataParallelTrainer. */
export interface DataParallelTrainerOptions extends Readonly<z.input<typeof loopOptions>> {}

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

/** @throws TrainArgumentError naming the option. */
export function resolveLoop(options: DataParallelTrainerOptions): LoopSettings {
  const checked = checkOptions(loopOptions, options, trainError);
  const { trainLoopPerWorker: loop, trainLoopConfig, maxReports, timeoutS } = checked;
  const target = isModuleExport(loop) ? loop : undefined;
  // Of a module only the settings travel as they are.
  const { source, config } = trainLoopSpec(isModuleExport(loop) ? () => undefined : loop, trainLoopConfig);
  return {
    ...runSettings(checked, 'loop'),
    options,
    code: target ? { kind: 'module', target } : { kind: 'text', source },
    config,
    datasets: options.datasets ?? {},
    seed: checked.seed,
    timeoutMs: timeoutS * 1000,
    maxReports,
  };
}

function isModuleExport(value: unknown): value is ModuleExport {
  return typeof value === 'object' && value !== null && 'module' in value;
}
