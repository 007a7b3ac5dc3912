// From the batches of a dataset, whatever their sizes, to blocks of equal size: converts numbers to float32, names to
// category codes, and checks labels and weights on the way.

import { checkLabel, checkWeight, rowOf } from '../../../shared/gbdt/labels.ts';
import { objectiveByName } from '../../../shared/gbdt/objective/registry.ts';
import type { GbdtParams } from '../../../shared/gbdt/params.ts';
import { AbortedError } from '../../../kernels/errors.ts';
import { LabelError, WeightError } from '../../../shared/gbdt/errors/gbdtErrors.ts';
import type { BatchColumn, ColumnBatch, NumericColumn } from '../../../shared/columns/columnBatch.ts';
import { ColumnUnsuitableError } from '../../../shared/columns/columnErrors.ts';
import type { GrowingCategories, KnownCategories } from './categoryCodes.ts';
import type { ColumnPlan } from './columnPlan.ts';
import { RawBlock } from './rawBlock.ts';

/** What the columns of a dataset become: a coder for a categorical feature, undefined for a number. */
export type FeatureCoders = readonly (GrowingCategories | KnownCategories | undefined)[];

export interface ReadBlocksInput {
  /** Batches with the columns of the plan: features, label, weight. */
  readonly batches: AsyncIterable<ColumnBatch>;
  /** Name of the dataset, for messages. */
  readonly dataset: string;
  readonly plan: ColumnPlan;
  readonly params: GbdtParams;
  /** Called with the first batch: its columns tell which features are categorical. */
  readonly codersFor: (features: readonly BatchColumn[]) => FeatureCoders;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All blocks in order, each in the same memory: use one before asking for the next.
 * @throws LabelError, WeightError naming column and row; ColumnUnsuitableError; what the dataset throws.
 */
export async function* readBlocks(
  input: ReadBlocksInput,
): AsyncGenerator<{ block: RawBlock; coders: FeatureCoders }> {
  const { plan } = input;
  let block: RawBlock | undefined;
  let coders: FeatureCoders = [];
  for await (const batch of input.batches) {
    if (input.signal?.aborted) throw new AbortedError('Preparation of the training data was called off.');
    const features = batch.columns.slice(0, plan.features.length);
    if (!block) {
      coders = input.codersFor(features);
      block = new RawBlock({
        categorical: coders.map((coder) => coder !== undefined),
        weighted: plan.weight !== undefined,
      });
    }
    for (let from = 0; from < batch.rows;) {
      const to = Math.min(batch.rows, from + block.capacity - block.rows);
      copyRows(batch, from, to, block, coders, input);
      block.rows += to - from;
      from = to;
      if (block.rows === block.capacity) {
        yield { block, coders };
        block.firstRow += block.rows;
        block.rows = 0;
      }
    }
  }
  if (block && block.rows > 0) yield { block, coders };
}

function copyRows(
  { columns }: ColumnBatch,
  from: number,
  to: number,
  block: RawBlock,
  coders: FeatureCoders,
  { plan, params, dataset }: ReadBlocksInput,
): void {
  const at = block.rows;
  for (const [feature, target] of block.features.entries()) {
    const column = columns[feature]!;
    const coder = coders[feature];
    if (coder && column.kind === 'categorical' && target instanceof Uint8Array) {
      coder.encode(column, from, to, target, at);
    } else if (!coder && column.kind === 'numeric' && target instanceof Float32Array) {
      refuseTime(column);
      copyNumbers(column, from, to, target, at);
      refuseInfinity(target, at, at + to - from, column.name, { block, dataset });
    } else {
      throw new ColumnUnsuitableError(
        `Feature "${column.name}" of dataset "${dataset}" holds ${column.kind === 'numeric' ? 'numbers' : 'strings'} ` +
          `where ${coder ? 'strings' : 'numbers'} are expected, as in the training set's first rows.`,
        { column: column.name },
      );
    }
  }
  const label = numbersOnly(columns[plan.features.length]!, 'label', dataset);
  copyNumbers(label, from, to, block.labels, at);
  checkLabels(block, at, at + to - from, label, from, { params, dataset });
  if (!block.weights) return;
  const weight = numbersOnly(columns[plan.features.length + 1]!, 'weight', dataset);
  copyNumbers(weight, from, to, block.weights, at);
  for (let row = at; row < at + to - from; row++) {
    if (isMissing(weight, from + row - at)) {
      const place = { column: weight.name, row: block.firstRow + row };
      throw new WeightError(
        `Weight column "${place.column}", ${rowOf({ ...place, dataset })}: the weight is missing; ` +
          `expected a finite number of at least 0.`,
        place,
      );
    }
    const value = block.weights[row]!;
    if (!(value >= 0 && value < Infinity)) {
      checkWeight(value, { column: weight.name, row: block.firstRow + row, dataset });
    }
  }
}

function checkLabels(
  block: RawBlock,
  from: number,
  to: number,
  column: NumericColumn,
  sourceFrom: number,
  { params, dataset }: Pick<ReadBlocksInput, 'params' | 'dataset'>,
): void {
  const objective = objectiveByName(params.objective);
  for (let row = from; row < to; row++) {
    const value = block.labels[row]!;
    if (Number.isFinite(value) && objective.acceptsLabel(value, params)) continue;
    const place = { column: column.name, row: block.firstRow + row };
    if (isMissing(column, sourceFrom + row - from)) {
      throw new LabelError(
        `Label column "${place.column}", ${rowOf({ ...place, dataset })}: the label is missing; ` +
          `expected ${objective.labelRange(params)}. ` +
          `Filter such rows out first.`,
        place,
      );
    }
    checkLabel(value, params, { ...place, dataset });
  }
}

function isMissing({ valid }: NumericColumn, row: number): boolean {
  return valid !== undefined && valid[row] === 0;
}

function copyNumbers(
  { values, valid }: NumericColumn,
  from: number,
  to: number,
  target: Float32Array,
  at: number,
): void {
  target.set(values.subarray(from, to), at);
  if (!valid) return;
  for (let row = from; row < to; row++) if (valid[row] === 0) target[at + row - from] = NaN;
}

/** Infinities are refused as in XGBoost: numbers beyond float32 become such, and all of them would look alike. */
function refuseInfinity(
  values: Float32Array,
  from: number,
  to: number,
  column: string,
  { block, dataset }: { readonly block: RawBlock; readonly dataset: string },
): void {
  for (let at = from; at < to; at++) {
    const value = values[at]!;
    if (value !== Infinity && value !== -Infinity) continue;
    const place = { column, row: block.firstRow + at };
    throw new ColumnUnsuitableError(
      `Feature "${column}", ${rowOf({ ...place, dataset })}: the value is infinite, or beyond the range of float32; ` +
        `expected a finite number, or none where it is missing.`,
      place,
    );
  }
}

/** Refuses what would train without complaint and predict nonsense: instants as numbers. */
export function refuseTime(column: NumericColumn): void {
  if (column.meaning !== 'time') return;
  throw new ColumnUnsuitableError(
    `Feature "${column.name}" holds dates or times. Trees can not go beyond the times they have seen: derive hour, ` +
      `weekday or day of year from it, or drop it.`,
    { column: column.name },
  );
}

function numbersOnly(column: BatchColumn, role: 'label' | 'weight', dataset: string): NumericColumn {
  if (column.kind === 'numeric' && column.meaning !== 'time') return column;
  // Text files give no type to a column without values.
  if (column.kind === 'categorical' && column.dictionary.length === 0) {
    const Missing = role === 'label' ? LabelError : WeightError;
    throw new Missing(
      `The ${role} column "${column.name}" of dataset "${dataset}" has no values: all are missing; expected numbers.`,
      { column: column.name, row: 0 },
    );
  }
  const found = column.kind === 'numeric' ? 'dates or times' : 'strings';
  const advice =
    role === 'label' ? 'Map classes to 0, 1, … first, e.g. with addColumn.' : 'Convert it to numbers first.';
  throw new ColumnUnsuitableError(
    `The ${role} column "${column.name}" of dataset "${dataset}" holds ${found}; expected numbers. ${advice}`,
    {
      column: column.name,
    },
  );
}
