// Predicts with a tree model: batches of a dataset, columns by name and categories by the names that the model keeps, and
// the rows of replicas, which are numbers already. The same on the owner's machine, beside a server, and on workers.

import { ColumnUnsuitableError, UnknownColumnError, unknownColumn } from '../../columns/columnErrors.ts';
import { PredictArgumentError } from '../errors/gbdtErrors.ts';
import type { GbdtModel } from './model.ts';
import { modelFeatures, type ModelFeature } from './modelFeatures.ts';
import { Predictor, type PredictOptions } from './predictor.ts';

/** A batch: an array of values a column, all of one length. */
export type PredictBatch = Readonly<Record<string, ArrayLike<unknown>>>;

export interface TreePredictorOptions extends Omit<PredictOptions, 'baseMargin'> {
  /** Columns of the batch with the margins that rows start from in place of base_score: one an output. */
  readonly baseMarginColumns?: readonly string[];
  /** Columns of the batch to hand through beside the predictions: some, all (true) or none (default). */
  readonly keepColumns?: boolean | readonly string[];
  /** Default "predictions". */
  readonly outputColumn?: string;
}

/** Anything that has a model of trees: a checkpoint on disk, or one that was carried to a worker. */
export interface TreeSource {
  loadModel(): GbdtModel;
}

export class TreePredictor {
  readonly predictor: Predictor;
  readonly #options: TreePredictorOptions;
  readonly #columns: readonly ModelFeature[];
  readonly #named: boolean;

  /** @throws ModelFormatError, ModelUnsupportedError */
  constructor(source: TreeSource, options: TreePredictorOptions = {}) {
    const model = source.loadModel();
    this.predictor = new Predictor(model);
    this.#options = options;
    this.#columns = modelFeatures(model);
    this.#named = model.featureNames.length > 0;
  }

  /** The same as the constructor, under its name in Ray. @throws ModelFormatError, ModelUnsupportedError */
  static fromCheckpoint<Source, Made extends TreePredictor>(
    this: new (source: Source, options?: TreePredictorOptions) => Made,
    source: Source,
    options?: TreePredictorOptions,
  ): Made {
    return new this(source, options);
  }

  /** Names of the columns that predictions are returned in: one, or one a class or label of a row, or one a tree. */
  get outputColumns(): readonly string[] {
    const { outputColumn = 'predictions' } = this.#options;
    const outputs = this.predictor.width(this.#options);
    if (outputs === 1) return [outputColumn];
    return Array.from({ length: outputs }, (_, output) => `${outputColumn}_${output}`);
  }

  /** Columns that a batch must have. Empty for a model without names: there all columns count, in their order. */
  get featureColumns(): readonly string[] {
    return this.#named ? this.#columns.map(({ name }) => name) : [];
  }

  /**
   * Rows of numbers, as replicas have them. Programs on workers are called with more arguments than these.
   * @param columns one a feature, in the model's order. @returns [row][output]
   */
  predict(columns: readonly Float32Array[], rows: number): Float32Array<ArrayBuffer> {
    return this.predictor.predict(columns, rows, this.#options);
  }

  /**
   * Predictions of a batch as float32 columns, after the columns that are kept. Columns that the model does not know
   * are ignored; categories that it has not seen count as missing.
   * @throws UnknownColumnError for a missing column, ColumnUnsuitableError for strings where numbers are expected,
   * PredictArgumentError for columns of different lengths, or a kept one that has the name of a prediction.
   */
  call(batch: PredictBatch): Record<string, ArrayLike<unknown>> {
    const { keepColumns = false } = this.#options;
    const rows = rowsOf(batch);
    const values = this.#featuresOf(batch, rows);
    const baseMargin = this.#baseMargin(batch, rows);
    const predictions = this.predictor.predict(values, rows, {
      ...this.#options,
      ...(baseMargin && { baseMargin }),
    });
    const names = this.outputColumns;
    const kept = keepColumns === true ? Object.keys(batch) : keepColumns === false ? [] : keepColumns;
    const result: Record<string, ArrayLike<unknown>> = {};
    for (const name of kept) {
      if (names.includes(name)) throw takenName(name);
      setOwn(result, name, columnOf(batch, name));
    }
    for (const [output, name] of names.entries()) {
      const column = new Float32Array(rows);
      for (let row = 0; row < rows; row++) column[row] = predictions[row * names.length + output]!;
      setOwn(result, name, column);
    }
    return result;
  }

  /** [row][output]; undefined where no columns are named. */
  #baseMargin(batch: PredictBatch, rows: number): Float32Array | undefined {
    const { baseMarginColumns: names } = this.#options;
    if (names === undefined) return undefined;
    const { outputs } = this.predictor;
    if (names.length !== outputs) {
      throw new PredictArgumentError(
        `baseMarginColumns names ${names.length} columns; expected ${outputs}, one an output of the model.`,
        { field: 'baseMarginColumns' },
      );
    }
    const margins = new Float32Array(rows * outputs);
    for (const [output, name] of names.entries()) {
      const column = toNumbers(columnOf(batch, name), rows, plainNumbers(name));
      for (let row = 0; row < rows; row++) {
        const margin = column[row]!;
        if (Number.isNaN(margin)) {
          throw new ColumnUnsuitableError(
            `Column "${name}", row ${row} has no number; expected the margin that the row starts from.`,
            { column: name, row },
          );
        }
        margins[row * outputs + output] = margin;
      }
    }
    return margins;
  }

  #featuresOf(batch: PredictBatch, rows: number): Float32Array[] {
    if (this.#named) {
      return this.#columns.map((column) => {
        return toNumbers(columnOf(batch, column.name), rows, column);
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

/** @throws PredictArgumentError naming a column that is shorter or longer than the first. */
function rowsOf(batch: PredictBatch): number {
  const [first, ...others] = Object.entries(batch);
  if (!first) return 0;
  const rows = first[1].length;
  const odd = others.find(([, values]) => values.length !== rows);
  if (!odd) return rows;
  throw new PredictArgumentError(
    `Column "${odd[0]}" has ${odd[1].length} rows, column "${first[0]}" ${rows}: expected columns of one length.`,
    { column: odd[0] },
  );
}

/** Columns may be called "constructor" or "toString": only those of the batch itself count. */
function columnOf(batch: PredictBatch, name: string): ArrayLike<unknown> {
  const column = Object.hasOwn(batch, name) ? batch[name] : undefined;
  if (!column) throw unknownColumn(name, Object.keys(batch), 'the data to predict');
  return column;
}

/** A column that is no feature. */
function plainNumbers(name: string): ModelFeature {
  return { name, isCategorical: false, codes: undefined, hasNumberNames: false };
}

/** Also for "__proto__", which an assignment would not make a column. */
function setOwn(result: Record<string, ArrayLike<unknown>>, name: string, value: ArrayLike<unknown>): void {
  Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true });
}

function takenName(name: string): PredictArgumentError {
  return new PredictArgumentError(
    `The data has a column "${name}" already, which predictions would replace: choose another outputColumn, or do not ` +
      `keep that column.`,
    { column: name, field: 'outputColumn' },
  );
}

/** Float32 values of a column: NaN where missing, codes of categories. */
function toNumbers(values: ArrayLike<unknown>, rows: number, column: ModelFeature): Float32Array {
  if (values instanceof Float32Array && !column.codes) return refuseInfinity(values, column);
  const numbers = new Float32Array(rows);
  for (let row = 0; row < rows; row++) numbers[row] = toNumber(values[row], column);
  return refuseInfinity(numbers, column);
}

/** As training and serving do, and XGBoost. */
function refuseInfinity(values: Float32Array, { name }: ModelFeature): Float32Array {
  const row = values.findIndex((value) => value === Infinity || value === -Infinity);
  if (row === -1) return values;
  throw new ColumnUnsuitableError(
    `Column "${name}", row ${row} holds an infinite number, or one beyond the range of float32; expected a finite ` +
      `number, or none where it is missing.`,
    { column: name, row },
  );
}

function toNumber(value: unknown, { name, codes, hasNumberNames, isCategorical }: ModelFeature): number {
  if (value === null || value === undefined) return NaN;
  if (codes) {
    if (typeof value === 'string') return codes.get(value) ?? NaN;
    if (typeof value === 'number' && (hasNumberNames || Number.isNaN(value))) return codes.get(value) ?? NaN;
    if (typeof value === 'bigint' && hasNumberNames) return codes.get(Number(value)) ?? NaN;
    throw new ColumnUnsuitableError(
      `Column "${name}" holds ${typeof value === 'bigint' ? value : JSON.stringify(value)}; the model knows its categories by name, so strings are expected.`,
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
