// The least that a round of histogram boosting can cost, by counting.

export interface RoundFloor {
  /** One row's value of one feature added to a histogram; two sums each (g, h). */
  readonly updates: number;
  /** Bytes that histograms and partition read: bin codes, and 12 bytes a row a level (gradient pair, row index). */
  readonly bytes: number;
}

/** All rows at the root, and below it the smaller child of each pair: at most half of the rows a level. */
export function roundFloor(rows: number, features: number, depth: number): RoundFloor {
  const passes = 1 + (depth - 1) / 2;
  return { updates: rows * features * passes, bytes: (rows * features + 12 * rows) * depth };
}
