// What an owner passes to GBDTTrainer, in Ray's names: one schema for scripts, config files and docs/config.md. Everything
// that needs no data is refused here, before any file is opened or worker started.

import { z } from 'zod';
import { resolveParams, type GbdtParams } from '../../../shared/gbdt/params.ts';
import type { TrainLoop, TrainLoopSpec } from '../../../shared/gbdt/trainLoop.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { columnList, columnName, path, wholeFrom, namedDatasets } from '../../schema/optionWords.ts';
import { runSettings, trainerFields, type RunSettings } from '../../options/runOptions.ts';
import type { TrainingData } from './trainingData.ts';
import { trainLoopSpec } from './trainLoopSpec.ts';
import { trainError } from '../../options/trainArgumentError.ts';

/** What config files have of it. */
export const gbdtFields = {
  labelColumn: columnName.describe('The column to predict.'),
  weightColumn: columnName.optional().describe('Weights of the rows.'),
  featureColumns: columnList
    .optional()
    .describe('Features, in this order. Without it all columns but label and weight.'),
  params: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('XGBoost parameters by their own names; docs/parameters.md lists them.'),
  numBoostRound: wholeFrom(1)
    .default(10)
    .describe('Rounds to train. With trainLoopPerWorker: the most that the loop may train.'),
  earlyStoppingRounds: wholeFrom(1)
    .optional()
    .describe('Stop when the last metric of the last evaluation set has not improved for so many rounds.'),
  xgbModel: path.optional().describe('Checkpoint folder or model.json to add numBoostRound rounds to.'),
  resumeFromCheckpoint: path
    .optional()
    .describe('Checkpoint of an interrupted run, to train the rounds that numBoostRound has beyond it.'),
};

/** What a config file and a script may not have together. */
export function checkStart(
  {
    xgbModel,
    resumeFromCheckpoint,
  }: { readonly xgbModel?: unknown; readonly resumeFromCheckpoint?: unknown },
  context: z.RefinementCtx,
): void {
  if (xgbModel === undefined || resumeFromCheckpoint === undefined) return;
  const message = 'and resumeFromCheckpoint exclude each other';
  context.addIssue({ code: 'custom', path: ['xgbModel'], message });
}

const checkpoint = z.union([z.instanceof(Checkpoint).meta({ title: 'a Checkpoint' }), path]).optional();

export const gbdtOptions = z
  .strictObject({
    ...gbdtFields,
    datasets: namedDatasets<TrainingData>('datasets', true).describe(
      '"train", and any number of evaluation sets, e.g. "valid"; metrics are reported for all, as "valid-logloss".',
    ),
    xgbModel: checkpoint.describe(
      'A model to add numBoostRound rounds to: a checkpoint, its folder, or a model file of XGBoost (JSON or UBJSON).',
    ),
    resumeFromCheckpoint: checkpoint.describe(gbdtFields.resumeFromCheckpoint.description ?? ''),
    trainLoopPerWorker: z
      .custom<TrainLoop<never>>((value) => typeof value === 'function')
      .meta({ title: 'a function with source text' })
      .optional()
      .describe(
        "The owner's own loop over rounds, run by every worker: a function that uses nothing but its arguments. It may change parameters from round to round and return early; it is called again, at context.round, when the group changes.",
      ),
    trainLoopConfig: z.unknown().optional().describe('First argument of trainLoopPerWorker: plain JSON.'),
    ...trainerFields,
  })
  .superRefine(checkStart)
  .superRefine(({ earlyStoppingRounds, datasets }, context) => {
    if (earlyStoppingRounds === undefined || Object.keys(datasets).length > 1) return;
    const message = 'needs an evaluation set beside "train" in datasets';
    context.addIssue({ code: 'custom', path: ['earlyStoppingRounds'], message });
  });

/** What an owner passes to GBDTTrainer; the config keys of docs/config.md, and what only a script can hold. */
export interface GBDTTrainerOptions extends Readonly<z.input<typeof gbdtOptions>> {}

/** Options with defaults filled in. */
export interface TrainerSettings extends RunSettings {
  readonly options: GBDTTrainerOptions;
  readonly params: GbdtParams;
  readonly numBoostRound: number;
  readonly trainLoop: TrainLoopSpec | undefined;
}

/** @throws TrainArgumentError naming the option; UnknownParameterError, ParameterRangeError. */
export function resolveOptions(options: GBDTTrainerOptions): TrainerSettings {
  const checked = checkOptions(gbdtOptions, options, trainError);
  const { trainLoopPerWorker, trainLoopConfig } = checked;
  return {
    options,
    params: resolveParams(checked.params),
    numBoostRound: checked.numBoostRound,
    trainLoop: trainLoopPerWorker && trainLoopSpec(trainLoopPerWorker, trainLoopConfig),
    ...runSettings(checked, 'gbdt'),
  };
}
