// The shape of a config file for trees: which rows there are, and the options of GBDTTrainer. Validation, messages, the
// TypeScript type and docs/config.md come from it. The parameters under `params` are XGBoost's and are checked by their
// registry.

import { z } from 'zod';
import { csvOptions, jsonOptions, readOptions } from '../data/readOptions.ts';
import { columnName, path, wholeFrom } from '../schema/optionWords.ts';
import { runFields, scalingConfig } from '../options/runOptions.ts';
import { checkStart, gbdtFields } from '../train/gbdt/trainerOptions.ts';
import { tuneSection } from '../tune/tuneConfigSchema.ts';

const source = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(10_000)])
  .describe('A file, a folder, an http(s):// or s3:// address, or a list of them.');
const dataSection = z
  .strictObject({
    train: source.describe(
      'Rows to train on: a file, a folder, an http(s):// or s3:// address, or a list of them.',
    ),
    valid: source.nullable().default(null).describe('Rows to validate on. Leave it out to use testSize.'),
    testSize: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('Share of the training rows that is set aside for validation.'),
    seed: wholeFrom(0, 2 ** 32 - 1)
      .default(0)
      .describe('Decides which rows are set aside.'),
    format: z
      .enum(['parquet', 'csv', 'json', 'arrow'])
      .optional()
      .describe('Format of the files, where their names do not tell it. json means a JSON value a line.'),
    csv: csvOptions.optional(),
    json: jsonOptions.optional(),
    read: readOptions.optional(),
  })
  .describe('Where the rows come from.');

/** What a run is called and what it leaves; callbacks and verbosity are the command's. */
const runSection = z.strictObject(runFields).describe('What the run is called and what it leaves.');

/** Who trains and what comes of it: the same for every trainer. */
export const runSections = {
  scalingConfig: scalingConfig.prefault({}),
  runConfig: runSection.prefault({}),
  tune: tuneSection.optional(),
  project: path
    .optional()
    .describe(
      'File with what volunteers are told of the project, as "tabgrad up --project" takes it. For a coordinator that they ' +
        'join: needs scalingConfig.url or --url.',
    ),
};

/** Which rows and columns there are: the same for every trainer. */
export const rowSections = {
  data: dataSection,
  derive: z
    .record(columnName, z.string().min(1))
    .default({})
    .describe('Columns computed from others: name and expression. Later ones may read earlier ones.'),
  columns: z
    .array(columnName)
    .min(1)
    .max(100_000)
    .optional()
    .describe('Columns to keep, derived ones included. Without it all are kept.'),
};

/** What no key alone can tell, of every trainer. */
export function checkRows(
  { data }: { readonly data: z.output<typeof dataSection> },
  context: z.RefinementCtx,
): void {
  if (data.valid === null || data.testSize === undefined) return;
  const message = 'and data.valid exclude each other';
  context.addIssue({ code: 'custom', path: ['data', 'testSize'], message });
}

export const configSchema = z
  .strictObject({
    trainer: z.literal('gbdt').describe('Gradient-boosted trees.'),
    ...rowSections,
    ...gbdtFields,
    ...runSections,
  })
  .superRefine(checkRows)
  .superRefine(checkStart)
  .superRefine(({ data, earlyStoppingRounds }, context) => {
    if (earlyStoppingRounds === undefined || data.valid !== null || data.testSize !== undefined) return;
    const message = 'needs rows to validate on: set data.testSize or data.valid';
    context.addIssue({ code: 'custom', path: ['earlyStoppingRounds'], message });
  });

/** A checked config with every default filled in. */
export type Config = z.output<typeof configSchema>;
