// The shape of a config file, once: validation, messages, the TypeScript type and docs/config.md come from it.
// Names are those of the owner's API; the parameters under `params` are XGBoost's and are checked by their registry.

import { z } from 'zod';
import { csvSection } from './csvSchema.ts';
import { jsonSection, readSection } from './readSchema.ts';
import { tuneSection } from '../tune/tuneConfigSchema.ts';

const source = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(10_000)])
  .describe('A file, a folder, an http(s):// or s3:// address, or a list of them.');
export const columnName = z.string().min(1).max(512);
export const wholeFrom = (min: number, max: number) => z.number().int().min(min).max(max);

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
    csv: csvSection.optional(),
    json: jsonSection.optional(),
    read: readSection.optional(),
  })
  .describe('Where the rows come from.');

const runtime = z.enum(['node', 'deno', 'browser']);

export const scalingSection = z
  .strictObject({
    numWorkers: z
      .union([wholeFrom(1, 4096), z.tuple([wholeFrom(1, 4096), wholeFrom(1, 4096)])])
      .default(1)
      .describe('How many workers train, or [fewest, most].'),
    runtime: z
      .union([runtime, z.array(runtime).min(1).max(64)])
      .optional()
      .describe(
        'What the local workers run on (node, if nothing is said); a list makes a mixed group. With url: which of its workers take part; any, if nothing is said.',
      ),
    device: z
      .enum(['webgpu', 'cpu', 'auto'])
      .default('auto')
      .describe('What they compute on; auto takes WebGPU where a real GPU is there.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('A coordinator that is up already. Without it one is started, with local workers.'),
    token: z
      .string()
      .min(1)
      .optional()
      .describe(
        "That coordinator's admin token. Better in TABGRAD_ADMIN_TOKEN; not needed for one that you started on this machine.",
      ),
  })
  .describe('Who does the work.');

export const runSection = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'letters, digits, "_", "-" and "." only, at most 100')
      .optional()
      .describe('Name of the run and of its folder. Without it: the name of the config file.'),
    storagePath: z.string().min(1).default('results').describe('Folder that results are written under.'),
    overwrite: z
      .boolean()
      .default(false)
      .describe(
        'Replace an earlier run or experiment of the name. Without it a folder that holds one is refused.',
      ),
    checkpointConfig: z
      .strictObject({
        numToKeep: wholeFrom(1, 1_000_000)
          .optional()
          .describe('How many checkpoints are kept; all without it.'),
        checkpointFrequency: wholeFrom(0, 1_000_000)
          .default(0)
          .describe('A checkpoint every so many rounds; 0 writes the last one alone.'),
        scoreAttribute: z
          .string()
          .min(1)
          .optional()
          .describe('Keep the best by this metric, e.g. valid-auc, and not the latest.'),
        scoreOrder: z.enum(['max', 'min']).default('max').describe('Which end of it is best.'),
      })
      .prefault({})
      .describe('Which checkpoints are written and kept.'),
    failureConfig: z
      .strictObject({
        maxFailures: wholeFrom(-1, 1_000_000)
          .default(0)
          .describe('Failures that are forgiven; -1 forgives any.'),
      })
      .prefault({})
      .describe('What is forgiven. A lost worker is no failure: it is replaced.'),
  })
  .describe('What the run is called and what it leaves.');

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

export const configSchema = z.strictObject({
  trainer: z.literal('gbdt').describe('Gradient-boosted trees.'),
  ...rowSections,
  labelColumn: columnName.describe('The column to predict.'),
  weightColumn: columnName.optional().describe('Weights of the rows.'),
  featureColumns: z
    .array(columnName)
    .min(1)
    .max(100_000)
    .optional()
    .describe('Features, in this order. Without it all columns but label and weight.'),
  params: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('XGBoost parameters by their own names; docs/parameters.md lists them.'),
  numBoostRound: wholeFrom(1, 100_000).default(10).describe('Rounds to train.'),
  earlyStoppingRounds: wholeFrom(1, 100_000)
    .optional()
    .describe('Stop when the last metric has not improved for so many rounds.'),
  xgbModel: z
    .string()
    .min(1)
    .optional()
    .describe('Checkpoint folder or model.json to add numBoostRound rounds to.'),
  resumeFromCheckpoint: z
    .string()
    .min(1)
    .optional()
    .describe('Checkpoint of an interrupted run, to train the rounds that numBoostRound has beyond it.'),
  scalingConfig: scalingSection.prefault({}),
  runConfig: runSection.prefault({}),
  tune: tuneSection.optional(),
});

/** A checked config with every default filled in. */
export type Config = z.output<typeof configSchema>;
