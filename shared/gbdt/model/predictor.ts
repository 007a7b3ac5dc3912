// Predictions of a model on raw columns, in float32 as XGBoost computes them.

import { objectiveByName } from '../objective/registry.ts';
import { compileForest, type FlatForest } from './flatForest.ts';
import { ForestWalk } from './forestWalk.ts';
import type { GbdtModel } from './model.ts';
import { modelOutputs, modelRounds } from './model.ts';

export interface PredictOptions {
  /** Margins instead of predictions. */
  readonly outputMargin?: boolean;
  /** Rounds [first, end) to use; default all, or up to the best one when the model has best_iteration. */
  readonly iterationRange?: readonly [first: number, end: number];
}

export class Predictor {
  readonly model: GbdtModel;
  readonly outputs: number;
  readonly #baseMargin: number;
  /** Made when first used; many models are only opened. */
  #compiled: { readonly forest: FlatForest; readonly walk: ForestWalk } | undefined;

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
    const { numFeature, treeOutputs, parallelTrees, objective } = this.model;
    if (columns.length !== numFeature || columns.some((column) => column.length < rows)) {
      throw new RangeError(`predict takes ${numFeature} columns of ${rows} rows, got ${columns.length}`);
    }
    const outputs = this.outputs;
    const [first, end] = options.iterationRange ?? this.defaultRange();
    const perRound = outputs * parallelTrees;
    const margins = new Float32Array(rows * outputs).fill(this.#baseMargin);
    const { forest, walk } = (this.#compiled ??= this.#compile());
    const { leafValues } = forest;
    const last = Math.min(end * perRound, treeOutputs.length);
    walk.forEachLeaf(columns, rows, first * perRound, last, (leaves, t, start, count) => {
      const offset = start * outputs + treeOutputs[t]!;
      for (let i = 0; i < count; i += 1) margins[offset + i * outputs]! += leafValues[leaves[i]!]!;
    });
    if (options.outputMargin !== true) objectiveByName(objective).transform(margins, outputs);
    return margins;
  }

  #compile(): { readonly forest: FlatForest; readonly walk: ForestWalk } {
    const forest = compileForest(this.model.trees, this.model.numFeature);
    return { forest, walk: new ForestWalk(forest) };
  }
}
