// The first pass over a dataset: its rows go to a spool, what must be known of all rows is gathered on the way.

import { checkCategoryCount } from '../../../shared/gbdt/binColumn.ts';
import { buildCategoricalCuts, buildCuts } from '../../../shared/gbdt/cuts.ts';
import type { GbdtParams } from '../../../shared/gbdt/params.ts';
import { createSketchRoom, QuantileSketch } from '../../../shared/gbdt/quantileSketch.ts';
import type { DatasetSummary } from '../../../shared/api/datasetAnswers.ts';
import type { BatchColumn } from '../../../shared/columns/columnBatch.ts';
import { ColumnUnsuitableError } from '../../../shared/columns/columnErrors.ts';
import { NoRowsError } from '../trainErrors.ts';
import { GrowingCategories, KnownCategories } from './categoryCodes.ts';
import type { ColumnPlan } from './columnPlan.ts';
import { RowDescription } from './describeRows.ts';
import { numbersAmongText, poorFeature, refuseNothingToLearn, ValueCount } from './learnable.ts';
import type { RawBlock } from './rawBlock.ts';
import { readBlocks, refuseTime, type FeatureCoders } from './readBlocks.ts';
import { MeasuredRows } from './measuredRows.ts';
import { RowSpool } from './rowSpool.ts';
import { TargetSpan } from './targetSpan.ts';
import { TRAIN_SET, type PreparedFeature, type StartingModel, type TrainingData } from './trainingData.ts';

/** Sketches of as many features are held at once: each may take some megabytes. Later features are read again. */
const SKETCHES_AT_A_TIME = 128;

export interface SpoolSettings {
  readonly plan: ColumnPlan;
  readonly params: GbdtParams;
  readonly tempFolder: string;
  readonly startFrom?: StartingModel | undefined;
  readonly onProgress?: ((rows: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SpooledSet {
  readonly name: string;
  readonly spool: RowSpool;
  readonly classes: MeasuredRows;
  /** For the owner's coordinator. */
  readonly summary: DatasetSummary;
  /** Final category code of each spooled one, by feature; undefined where the spooled codes are final. */
  readonly finalCodes: readonly (Uint8Array | undefined)[];
}

/**
 * @throws NoRowsError, LabelError, WeightError, ColumnUnsuitableError when there is nothing to learn, and all that
 * reading throws.
 */
export async function spoolTrainingSet(
  data: TrainingData,
  settings: SpoolSettings,
): Promise<{ set: SpooledSet; features: PreparedFeature[]; target: TargetSpan; warnings: string[] }> {
  const { plan, params } = settings;
  const room = createSketchRoom();
  const sketches = plan.features.slice(0, SKETCHES_AT_A_TIME).map(() => new QuantileSketch(room));
  const codersFor = (columns: readonly BatchColumn[]): FeatureCoders =>
    columns.map((column, feature) => {
      if (settings.startFrom) checkKind(column, settings.startFrom.isCategorical[feature] === true);
      if (column.kind === 'categorical')
        return new GrowingCategories(column.name, settings.startFrom?.categories[feature]);
      refuseTime(column);
      return undefined;
    });
  const labels = new ValueCount();
  const target = new TargetSpan(plan, params);
  const description = new RowDescription(plan, true);
  const { coders, ...spooled } = await spoolRows(TRAIN_SET, data, settings, codersFor, (block) => {
    const weights = block.weights?.subarray(0, block.rows);
    labels.add(block.labels.subarray(0, block.rows), weights);
    target.add(block.labels.subarray(0, block.rows), weights);
    description.add(block);
    for (const [feature, sketch] of sketches.entries()) {
      const values = block.features[feature]!;
      if (values instanceof Float32Array) sketch.push(values.subarray(0, block.rows), weights);
    }
  });
  const finalCodes: (Uint8Array | undefined)[] = [];
  const warnings: string[] = [];
  const distinct: number[] = [];
  const finish = (name: string, feature: number, sketch: QuantileSketch): PreparedFeature => {
    const coder = coders[feature];
    if (coder instanceof GrowingCategories) {
      const finished = coder.finish();
      finalCodes.push(finished.finalCodes);
      const { categories } = finished;
      checkCategoryCount(categories.length, name);
      distinct.push(categories.length);
      warnings.push(...numbersAmongText(name, categories));
      return { name, cuts: buildCategoricalCuts(categories.length), categories };
    }
    finalCodes.push(undefined);
    const summary = sketch.summary();
    distinct.push(summary.values.length);
    description.sketched(feature, summary, sketch.taken);
    return { name, cuts: buildCuts(summary, params.max_bin), categories: undefined };
  };
  try {
    target.refuseNoWeight();
    const features = plan.features
      .slice(0, SKETCHES_AT_A_TIME)
      .map((name, feature) => finish(name, feature, sketches[feature]!));
    for (let first = SKETCHES_AT_A_TIME; first < plan.features.length; first += SKETCHES_AT_A_TIME) {
      const names = plan.features.slice(first, first + SKETCHES_AT_A_TIME);
      const isNumeric = (index: number): boolean => coders[first + index] === undefined;
      const later = await sketchColumns(
        spooled.spool,
        first,
        names.map((_, index) => isNumeric(index)),
      );
      features.push(...names.map((name, index) => finish(name, first + index, later[index]!)));
    }
    // A model that is trained further may well meet rows of one kind.
    if (!settings.startFrom) refuseNothingToLearn(plan, labels, distinct);
    warnings.push(...plan.features.flatMap((name, feature) => poorFeature(name, distinct[feature]!)));
    const summary = description.describe(TRAIN_SET, (at) => features[at]?.categories, finalCodes);
    return { set: { ...spooled, finalCodes, summary }, features, target, warnings };
  } catch (error) {
    await spooled.spool.close();
    throw error;
  }
}

/** Sketches of numeric features from `first` on, from rows that were spooled; those of categories stay empty. */
async function sketchColumns(
  spool: RowSpool,
  first: number,
  isNumeric: readonly boolean[],
): Promise<QuantileSketch[]> {
  const room = createSketchRoom();
  const sketches = isNumeric.map(() => new QuantileSketch(room));
  const numeric = [...isNumeric.keys()].filter((index) => isNumeric[index]);
  for await (const { columns, weights } of spool.columns(numeric.map((index) => first + index))) {
    numeric.forEach((index, at) => sketches[index]!.push(columns[at]!, weights));
  }
  return sketches;
}

/** @throws NoRowsError, and all that reading throws. */
export async function spoolEvaluationSet(
  name: string,
  data: TrainingData,
  settings: SpoolSettings,
  features: readonly PreparedFeature[],
): Promise<SpooledSet> {
  const coders = features.map(({ categories }) => categories && new KnownCategories(categories));
  const description = new RowDescription(settings.plan, false);
  const spooled = await spoolRows(
    name,
    data,
    settings,
    () => coders,
    (block) => description.add(block),
  );
  const summary = description.describe(name, (at) => features[at]?.categories, []);
  return { ...spooled, summary, finalCodes: features.map(() => undefined) };
}

export function noRows(dataset: string): string {
  return `Dataset "${dataset}" has no rows: a file, a filter or a split left it empty.`;
}

async function spoolRows(
  name: string,
  data: TrainingData,
  { plan, params, tempFolder, onProgress, signal }: SpoolSettings,
  codersFor: (columns: readonly BatchColumn[]) => FeatureCoders,
  onBlock: (block: RawBlock) => void,
): Promise<Omit<SpooledSet, 'finalCodes' | 'summary'> & { coders: FeatureCoders }> {
  const columns = [...plan.features, plan.label, ...(plan.weight === undefined ? [] : [plan.weight])];
  const batches = data.streamColumns(columns, signal ? { signal } : {});
  let spool: RowSpool | undefined;
  let known: FeatureCoders = [];
  const classes = new MeasuredRows();
  try {
    for await (const { block, coders } of readBlocks({
      batches,
      dataset: name,
      plan,
      params,
      codersFor,
      signal,
    })) {
      known = coders;
      spool ??= await RowSpool.create(tempFolder, {
        categorical: coders.map((coder) => coder !== undefined),
        weighted: plan.weight !== undefined,
      });
      onBlock(block);
      classes.add(block.labels.subarray(0, block.rows), block.weights);
      await spool.append(block);
      onProgress?.(block.rows);
    }
  } catch (error) {
    await spool?.close();
    throw error;
  }
  if (!spool) {
    throw new NoRowsError(noRows(name));
  }
  return { name, spool, classes, coders: known };
}

/** @throws ColumnUnsuitableError when a model's feature is of the other kind. */
function checkKind(column: BatchColumn, isCategorical: boolean): void {
  // Text files give no type to a column without values.
  const isEmpty = column.kind === 'categorical' && column.dictionary.length === 0;
  if ((column.kind === 'categorical') === isCategorical || isEmpty) return;
  throw new ColumnUnsuitableError(
    `Feature "${column.name}" of dataset "train" holds ${isCategorical ? 'numbers' : 'strings'}, but ` +
      `${isCategorical ? 'categories' : 'numbers'} in the model to continue from.`,
    { column: column.name },
  );
}
