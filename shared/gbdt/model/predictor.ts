// Predictions of a model on raw columns, in float32 as XGBoost computes them.

import { objectiveByName } from '../objective/registry.ts';
import type { GbdtModel, ModelTree } from './model.ts';
import { modelOutputs, modelRounds } from './model.ts';

export interface PredictOptions {
  /** Margins instead of predictions. */
  readonly outputMargin?: boolean;
  /** Rounds [first, end) to use; default all, or up to the best one when the model has best_iteration. */
  readonly iterationRange?: readonly [first: number, end: number];
}

/** Rows that are handled together: their values, row by row, stay in the first-level cache. */
const BLOCK_ROWS = 512;
/** XGBoost's limit of category codes that a float can hold. */
const CATEGORY_LIMIT = 16_777_217;

export class Predictor {
  readonly model: GbdtModel;
  readonly outputs: number;
  readonly #baseMargin: number;

  constructor(model: GbdtModel) {
    this.model = model;
    this.outputs = modelOutputs(model);
    this.#baseMargin = objectiveByName(model.objective).baseMargin(model.baseScore);
  }

  /** Rounds that predictions use by default: XGBoost's rule for models with best_iteration. */
  defaultRange(): readonly [number, number] {
    const best = Number(this.model.attributes['best_iteration'] ?? NaN);
    const rounds = modelRounds(this.model);
    return [0, Number.isInteger(best) && best >= 0 ? Math.min(best + 1, rounds) : rounds];
  }

  /**
   * Predicts rows given as columns.
   * @param columns model.numFeature columns of `rows` values; NaN is missing; categories as codes.
   * @returns [row][output].
   * @throws RangeError when the columns don't fit the model.
   */
  predict(
    columns: readonly Float32Array[],
    rows: number,
    options: PredictOptions = {},
  ): Float32Array<ArrayBuffer> {
    const { numFeature, trees, treeOutputs, parallelTrees, objective } = this.model;
    if (columns.length !== numFeature || columns.some((column) => column.length < rows)) {
      throw new RangeError(`predict takes ${numFeature} columns of ${rows} rows, got ${columns.length}`);
    }
    const outputs = this.outputs;
    const [first, end] = options.iterationRange ?? this.defaultRange();
    const perRound = outputs * parallelTrees;
    const margins = new Float32Array(rows * outputs).fill(this.#baseMargin);
    const used = trees.slice(first * perRound, end * perRound);
    forEachLeaf(used, columns, rows, (leaves, t, start, count) => {
      const { threshold } = used[t]!;
      const offset = start * outputs + treeOutputs[first * perRound + t]!;
      for (let i = 0; i < count; i += 1) margins[offset + i * outputs]! += threshold[leaves[i]!]!;
    });
    if (options.outputMargin !== true) objectiveByName(objective).transform(margins, outputs);
    return margins;
  }
}

/**
 * Sends rows down trees, a block of rows at a time, each block through all trees in their order.
 * @param visit receives the leaf of each of the rows [start, start + count) in tree `t`; `leaves` is used again.
 */
export function forEachLeaf(
  trees: readonly ModelTree[],
  columns: readonly Float32Array[],
  rows: number,
  visit: (leaves: Int32Array, t: number, start: number, count: number) => void,
): void {
  const numFeature = columns.length;
  const block = new Float32Array(Math.min(rows, BLOCK_ROWS) * numFeature);
  const leaves = new Int32Array(Math.min(rows, BLOCK_ROWS));
  for (let start = 0; start < rows; start += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - start);
    columns.forEach((column, feature) => {
      for (let i = 0; i < count; i += 1) block[i * numFeature + feature] = column[start + i]!;
    });
    trees.forEach((tree, t) => {
      findLeaves(tree, block, numFeature, count, leaves);
      visit(leaves, t, start, count);
    });
  }
}

/** The leaf of each of `count` rows; `values` is [row][feature]. */
function findLeaves(
  { left, right, feature, threshold, defaultLeft, categories }: ModelTree,
  values: Float32Array,
  numFeature: number,
  count: number,
  leaves: Int32Array,
): void {
  const categorical = categories.size > 0;
  for (let row = 0; row < count; row += 1) {
    const base = row * numFeature;
    let node = 0;
    let next = left[0]!;
    while (next !== -1) {
      const value = values[base + feature[node]!]!;
      let goesLeft = value < threshold[node]!;
      // NaN is the only number unlike itself.
      if (value !== value) goesLeft = defaultLeft[node] === 1;
      else if (categorical) {
        const words = categories.get(node);
        if (words !== undefined) goesLeft = categoryGoesLeft(words, value, defaultLeft[node] === 1);
      }
      node = goesLeft ? next : right[node]!;
      next = left[node]!;
    }
    leaves[row] = node;
  }
}

/** XGBoost's rule: codes in the set go right, impossible ones as missing, unknown ones left. */
function categoryGoesLeft(words: Uint32Array, value: number, defaultLeft: boolean): boolean {
  if (value < 0 || value >= CATEGORY_LIMIT) return defaultLeft;
  const category = Math.trunc(value);
  return ((words[category >> 5] ?? 0) >>> (category & 31)) % 2 === 0;
}
