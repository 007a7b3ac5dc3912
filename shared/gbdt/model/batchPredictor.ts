// Predicts batches of a dataset with a tree model: columns by name, categories by the names that the model keeps. The
// same on the owner's machine and on the workers.

import { ColumnUnsuitableError, UnknownColumnError, unknownColumn } from '../../columns/columnErrors.ts';
import type { GbdtModel } from './model.ts';
import { modelFeatures, type ModelFeature } from './modelFeatures.ts';
import { Predictor, type PredictOptions } from './predictor.ts';

/** A batch: an array of values a column, all of one length. */
export type PredictBatch = Readonly<Record<string, ArrayLike<unknown>>>;

export interface BatchPredictorOptions extends PredictOptions {
  /** Columns of the batch to hand through beside the predictions: some, all (true) or none (default). */
  readonly keepColumns?: boolean | readonly string[];
  /** Default "predictions". */
  readonly outputColumn?: string;
}

export class BatchPredictor {
  readonly predictor: Predictor;
  readonly #options: BatchPredictorOptions;
  readonly #columns: readonly ModelFeature[];
  readonly #named: boolean;

  constructor(model: GbdtModel, options: BatchPredictorOptions = {}) {
    this.predictor = new Predictor(model);
    this.#options = options;
    this.#columns = modelFeatures(model);
    this.#named = model.featureNames.length > 0;
  }

  /** Names of the columns that predictions are returned in: one, or one a class for multi:softprob. */
  get outputColumns(): readonly string[] {
    const { outputColumn = 'predictions' } = this.#options;
    const { outputs } = this.predictor;
    if (outputs === 1) return [outputColumn];
    return Array.from({ length: outputs }, (_, output) => `${outputColumn}_${output}`);
  }

  /** Columns that a batch must have. Empty for a model without names: there all columns count, in their order. */
  get featureColumns(): readonly string[] {
    return this.#named ? this.#columns.map(({ name }) => name) : [];
  }

  /**
   * Predictions of a batch as float32 columns, after the columns that are kept. Columns that the model does not know
   * are ignored; categories that it has not seen count as missing.
   * @throws UnknownColumnError for a missing column, ColumnUnsuitableError for strings where numbers are expected.
   */
  call(batch: PredictBatch): Record<string, ArrayLike<unknown>> {
    const { keepColumns = false } = this.#options;
    const rows = Object.values(batch)[0]?.length ?? 0;
    const values = this.#featuresOf(batch, rows);
    const predictions = this.predictor.predict(values, rows, this.#options);
    const names = this.outputColumns;
    const kept = keepColumns === true ? Object.keys(batch) : keepColumns === false ? [] : keepColumns;
    const result: Record<string, ArrayLike<unknown>> = {};
    for (const name of kept) {
      const column = batch[name];
      if (!column) throw unknownColumn(name, Object.keys(batch), 'the data to predict');
      result[name] = column;
    }
    for (const [output, name] of names.entries()) {
      const column = new Float32Array(rows);
      for (let row = 0; row < rows; row++) column[row] = predictions[row * names.length + output]!;
      result[name] = column;
    }
    return result;
  }

  #featuresOf(batch: PredictBatch, rows: number): Float32Array[] {
    if (this.#named) {
      return this.#columns.map((column) => {
        const values = batch[column.name];
        if (!values) throw unknownColumn(column.name, Object.keys(batch), 'the data to predict');
        return toNumbers(values, rows, column);
      });
    }
    const all = Object.values(batch);
    if (all.length !== this.#columns.length) {
      throw new UnknownColumnError(
        `The model does not name its ${this.#columns.length} features and the data has ${all.length} columns; ` +
          `select the features, in the model's order.`,
      );
    }
    return all.map((values, index) => toNumbers(values, rows, this.#columns[index]!));
  }
}

/** Float32 values of a column: NaN where missing, codes of categories. */
function toNumbers(values: ArrayLike<unknown>, rows: number, column: ModelFeature): Float32Array {
  if (values instanceof Float32Array && !column.codes) return values;
  const numbers = new Float32Array(rows);
  for (let row = 0; row < rows; row++) numbers[row] = toNumber(values[row], column);
  return numbers;
}

function toNumber(value: unknown, { name, codes, isCategorical }: ModelFeature): number {
  if (value === null || value === undefined) return NaN;
  if (codes) {
    if (typeof value === 'string') return codes.get(value) ?? NaN;
    if (typeof value === 'number' && Number.isNaN(value)) return NaN;
    throw new ColumnUnsuitableError(
      `Column "${name}" holds ${JSON.stringify(value)}; the model knows its categories by name, so strings are expected.`,
      { column: name },
    );
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return Number(value);
  if (value instanceof Date) return value.getTime();
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value;
  throw new ColumnUnsuitableError(
    `Column "${name}" holds ${typeof value === 'string' ? `text, e.g. ${shown}` : shown}; the model expects numbers${isCategorical ? ' (category codes: it does not keep their names)' : ''}.`,
    { column: name },
  );
}
