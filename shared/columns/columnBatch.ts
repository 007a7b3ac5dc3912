// The form in which trainers take data: plain typed arrays, one a column, no Arrow types to know about.

/** Integers and floats of any width, booleans (0 or 1), dates, times and timestamps (epoch milliseconds). */
export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  /** What the numbers stand for. */
  readonly meaning: 'number' | 'boolean' | 'time';
  /**
   * One value a row. 64-bit integers become doubles: exact up to 2^53, rounded above.
   * The value of a row that is not valid is unspecified.
   */
  readonly values: Float64Array | Float32Array | Int32Array;
  /** One byte a row, 1 when the row has a value; undefined when all rows have one. NaN counts as a value. */
  readonly valid: Uint8Array | undefined;
}

/** Strings, as codes into a list of distinct ones. */
export interface CategoricalColumn {
  readonly kind: 'categorical';
  readonly name: string;
  /** One code a row; -1 for a missing value. */
  readonly codes: Int32Array;
  /**
   * What the codes stand for. Other batches may come with other lists: compare by identity to know whether a mapping
   * made for the last batch still holds. May contain entries that no row uses.
   */
  readonly dictionary: readonly string[];
}

export type BatchColumn = NumericColumn | CategoricalColumn;

/** Consecutive rows of a dataset. */
export interface ColumnBatch {
  readonly rows: number;
  /** Index of the first row in the dataset. */
  readonly firstRow: number;
  /** In the order in which they were asked for. */
  readonly columns: readonly BatchColumn[];
}
