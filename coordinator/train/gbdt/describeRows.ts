// What an owner's coordinator is told of the rows of trees: gathered while they are spooled, from what is at hand. Numbers of
// the training set are described by their sketches, those of other sets by a sample.

import { MISSING_BIN } from '../../../kernels/gbdt/treeDevice.ts';
import {
  MAX_DESCRIBED_COLUMNS,
  type ColumnSummary,
  type DatasetSummary,
} from '../../../shared/api/datasetAnswers.ts';
import type { WeightedSummary } from '../../../shared/gbdt/weightedSummary.ts';
import { describeCategories, toldText } from '../summary/describeCategories.ts';
import { numbersOfSample, numbersOfSummary } from '../summary/describeNumbers.ts';
import { LabelSummary } from '../summary/labelSummary.ts';
import { ValueSample } from '../summary/valueSample.ts';
import type { ColumnPlan } from './columnPlan.ts';
import type { RawBlock } from './rawBlock.ts';

/** Beside the features there are a label and a weight. */
const MAX_FEATURES = MAX_DESCRIBED_COLUMNS - 2;
const CODES = 256;
/** Of sets whose first block has as many rows, every sixteenth row is counted: counting all of them would be felt. */
const MANY_ROWS = 32_768;
const STRIDE = 16;

export class RowDescription {
  readonly #plan: ColumnPlan;
  readonly #labels = new LabelSummary();
  readonly #weights = new ValueSample();
  /** Of categories: rows by their code as it is spooled. */
  readonly #codes: (Uint32Array | undefined)[] = [];
  readonly #samples: (ValueSample | undefined)[] = [];
  readonly #sketched: (ColumnSummary | undefined)[] = [];
  readonly #isSketched: boolean;
  #examples: (number | undefined)[] = [];
  #rows = 0;
  #weightedRows = 0;
  #stride = 1;
  #counted = 0;

  /** @param isSketched numbers are told by `sketched`. */
  constructor(plan: ColumnPlan, isSketched: boolean) {
    this.#plan = plan;
    this.#isSketched = isSketched;
  }

  add({ features, labels, weights, rows }: RawBlock): void {
    const described = features.slice(0, MAX_FEATURES);
    if (this.#rows === 0) {
      this.#examples = described.map((column) => column[0]);
      this.#stride = rows < MANY_ROWS ? 1 : STRIDE;
    }
    for (const [feature, column] of described.entries()) {
      if (column instanceof Uint8Array)
        count((this.#codes[feature] ??= new Uint32Array(CODES)), column, rows, this.#stride);
      else if (!this.#isSketched)
        (this.#samples[feature] ??= new ValueSample()).add(column.subarray(0, rows));
    }
    this.#labels.add(labels.subarray(0, rows), this.#stride);
    this.#rows += rows;
    this.#counted += Math.ceil(rows / this.#stride);
    if (!weights) return;
    this.#weights.add(weights.subarray(0, rows));
    for (let row = 0; row < rows; row++) if (weights[row] !== 0) this.#weightedRows += 1;
  }

  /** @param taken values that the sketch has: of all rows, or of those that have a weight. */
  sketched(feature: number, summary: WeightedSummary, taken: number): void {
    if (feature >= MAX_FEATURES) return;
    const numbers = numbersOfSummary(summary);
    const looked = this.#plan.weight === undefined ? this.#rows : this.#weightedRows;
    this.#sketched[feature] = {
      ...this.#feature(feature, 'number'),
      looked,
      missing: looked - taken,
      ...(numbers && { numbers }),
      example: this.#exampleNumber(feature),
    };
  }

  /**
   * @param categoriesOf names of a feature's categories by their final codes.
   * @param finalCodes of the codes as they are spooled; undefined where these are final.
   */
  describe(
    name: string,
    categoriesOf: (feature: number) => readonly string[] | undefined,
    finalCodes: readonly (Uint8Array | undefined)[],
  ): DatasetSummary {
    const { features, label, weight } = this.#plan;
    const described = features
      .slice(0, MAX_FEATURES)
      .map((_, feature) => this.#describe(feature, categoriesOf(feature) ?? [], finalCodes[feature]));
    const isWeighted = weight !== undefined;
    return {
      name: toldText(name),
      rows: this.#rows,
      columnCount: features.length + (isWeighted ? 2 : 1),
      columns: [...described, this.#labels.describe(label), ...(isWeighted ? [this.#weight(weight)] : [])],
      ...(isWeighted && { isWeighted }),
    };
  }

  #describe(
    feature: number,
    categories: readonly string[],
    finalCodes: Uint8Array | undefined,
  ): ColumnSummary {
    const codes = this.#codes[feature];
    if (codes) return this.#categorical(feature, codes, categories, finalCodes);
    const sketched = this.#sketched[feature];
    if (sketched) return sketched;
    const values = this.#samples[feature]?.values ?? [];
    const numbers = numbersOfSample(values);
    let missing = 0;
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) missing += 1;
    return {
      ...this.#feature(feature, 'number'),
      looked: values.length,
      missing,
      ...(numbers && { numbers }),
      example: this.#exampleNumber(feature),
    };
  }

  #categorical(
    feature: number,
    codes: Uint32Array,
    categories: readonly string[],
    finalCodes: Uint8Array | undefined,
  ): ColumnSummary {
    const final = (code: number): number => finalCodes?.[code] ?? code;
    const counts = categories.map(() => 0);
    for (let code = 0; code < MISSING_BIN; code++) {
      if (final(code) < counts.length) counts[final(code)]! += codes[code]!;
    }
    const example = this.#examples[feature] ?? MISSING_BIN;
    const shown = example === MISSING_BIN ? undefined : categories[final(example)];
    return {
      ...this.#feature(feature, 'category'),
      looked: this.#counted,
      missing: codes[MISSING_BIN]!,
      categories: describeCategories(categories, counts),
      example: shown === undefined ? null : toldText(shown),
    };
  }

  #weight(name: string): ColumnSummary {
    const { values } = this.#weights;
    const numbers = numbersOfSample(values);
    const column = { name: toldText(name), role: 'weight', type: 'number' } as const;
    return { ...column, looked: values.length, missing: 0, ...(numbers && { numbers }) };
  }

  #feature(feature: number, type: string): Pick<ColumnSummary, 'name' | 'role' | 'type'> {
    return { name: toldText(this.#plan.features[feature]!), role: 'feature', type };
  }

  #exampleNumber(feature: number): number | null {
    const value = this.#examples[feature];
    return value === undefined || Number.isNaN(value) ? null : value;
  }
}

function count(counts: Uint32Array, codes: Uint8Array, rows: number, stride: number): void {
  for (let row = 0; row < rows; row += stride) counts[codes[row]!]! += 1;
}
