// What an owner tells a coordinator of the datasets of a run, and what the coordinator tells of them: columns with their
// types, distributions and missing shares. For owners alone: volunteers are never told.

import { z } from 'zod';

/** More columns of a dataset are counted, and not described. */
export const MAX_DESCRIBED_COLUMNS = 2_000;
export const MAX_SHOWN_CATEGORIES = 20;
export const HISTOGRAM_BINS = 24;
/** Longer names are cut. */
export const MAX_TOLD_CHARACTERS = 200;
/** Of one run. */
export const MAX_DATASETS = 100;
const MAX_DIMENSIONS = 16;

const text = z.string().max(MAX_TOLD_CHARACTERS);
const count = z.number().int().nonnegative();
const amount = z.number().nonnegative();

const columnSummary = z.strictObject({
  name: text,
  role: z.enum(['feature', 'label', 'weight']),
  /** What its values are, e.g. "number", "category", "float32". */
  type: text,
  /** Of one row, where that is no single value. */
  shape: z.array(count).max(MAX_DIMENSIONS).exactOptional(),
  /** Rows (values, of tensors) that the figures are of: all, or evenly spaced ones. */
  looked: count,
  /** Of those, how many have no value. */
  missing: count,
  numbers: z
    .strictObject({
      min: z.number(),
      max: z.number(),
      mean: z.number(),
      /** Values between min and max, by equal widths; the sum of their weights where rows have weights. */
      bins: z.array(amount).min(1).max(HISTOGRAM_BINS),
    })
    .exactOptional(),
  categories: z
    .strictObject({
      distinct: count,
      /** The most frequent first. */
      top: z.array(z.strictObject({ name: text, count: amount })).max(MAX_SHOWN_CATEGORIES),
    })
    .exactOptional(),
  /** The first row's value; null where it has none. */
  example: z.union([z.number(), text, z.null()]).exactOptional(),
});
export type ColumnSummary = z.output<typeof columnSummary>;

const datasetSummary = z.strictObject({
  name: text,
  rows: count,
  /** Of columns, described or not. */
  columnCount: count,
  columns: z.array(columnSummary).max(MAX_DESCRIBED_COLUMNS),
  /** Whether distributions are of weights. */
  isWeighted: z.boolean().exactOptional(),
});
export type DatasetSummary = z.output<typeof datasetSummary>;

export const datasetSummaries = z.array(datasetSummary).max(MAX_DATASETS);

const datasetUse = z.looseObject({ runId: z.string(), runName: z.string(), usedAtMs: z.number() });

const recordedDataset = z.looseObject({
  /** Follows from its name and the bytes of its shards: runs on the same rows share it. */
  datasetId: z.string(),
  name: z.string(),
  rows: z.number(),
  sizeBytes: z.number(),
  shardCount: z.number(),
  /** Undefined where its owner left the summary out. */
  columnCount: z.number().optional(),
  /** The newest first; not all, where there are many. */
  runs: z.array(datasetUse),
  runCount: z.number(),
});
export type RecordedDataset = z.infer<typeof recordedDataset>;

export const datasetsAnswer = z.looseObject({ datasets: z.array(recordedDataset) });
export type DatasetsAnswer = z.infer<typeof datasetsAnswer>;

const holder = z.looseObject({ workerId: z.string(), runId: z.string(), as: z.enum(['lease', 'spare']) });

/** A dataset with all that is known of it. */
export const datasetAnswer = z.looseObject({
  ...recordedDataset.shape,
  summary: datasetSummary.optional(),
  /** The first ones, where there are many. */
  shards: z.array(
    z.looseObject({
      index: z.number(),
      rows: z.number(),
      sizeBytes: z.number(),
      sha256: z.string(),
      /** Members of groups that go on which have it, or were told to keep it ready. */
      holders: z.array(holder),
    }),
  ),
});
export type DatasetAnswer = z.infer<typeof datasetAnswer>;
