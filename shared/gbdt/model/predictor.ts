// Predictions of a model on raw columns, in float32 as XGBoost computes them.

import { PredictArgumentError } from '../errors/gbdtErrors.ts';
import { objectiveByName } from '../objective/registry.ts';
import { compileForest, type FlatForest } from './flatForest.ts';
import { WasmForest } from '../../../kernels/gbdt/wasm/wasmForest.ts';
import { ForestWalk } from './forestWalk.ts';
import { BLOCK_ROWS, blockWords, fillRowBlock } from './rowSlots.ts';
import type { GbdtModel } from './model.ts';
import { modelBaseMargins, modelOutputs, modelRounds } from './model.ts';

export interface PredictOptions {
  /** Margins instead of predictions. */
  readonly outputMargin?: boolean;
  /**
   * Rounds [first, end) to use; [0, 0] is all. Default: up to the best one where early stopping left best_iteration and
   * best_score in the model, else all.
   */
  readonly iterationRange?: readonly [first: number, end: number];
}

export class Predictor {
  readonly model: GbdtModel;
  readonly outputs: number;
  readonly #baseMargins: Float32Array;
  /** Made when first used; many models are only opened. */
  #compiled: CompiledForest | undefined;

  constructor(model: GbdtModel) {
    this.model = model;
    this.outputs = modelOutputs(model);
    this.#baseMargins = modelBaseMargins(model);
  }

  /**
   * Rounds that predictions use by default. XGBoost's estimators stop at best_iteration, its Booster.predict does not;
   * and up to 1.7 xgb.train wrote it without early stopping too, so that rounds trained later lie beyond it. Only early
   * stopping writes best_score.
   */
  defaultRange(): readonly [number, number] {
    const { best_iteration: iteration, best_score: score } = this.model.attributes;
    const best = score === undefined ? NaN : Number(iteration ?? NaN);
    const rounds = modelRounds(this.model);
    return [0, Number.isInteger(best) && best >= 0 ? Math.min(best + 1, rounds) : rounds];
  }

  /**
   * Predicts rows given as columns.
   * @param columns model.numFeature columns of `rows` values; NaN is missing; categories as codes.
   * @returns [row][output].
   * @throws PredictArgumentError when columns or rounds don't fit the model.
   */
  predict(
    columns: readonly Float32Array[],
    rows: number,
    options: PredictOptions = {},
  ): Float32Array<ArrayBuffer> {
    const { numFeature, treeOutputs, parallelTrees, objective } = this.model;
    if (columns.length !== numFeature || columns.some((column) => column.length < rows)) {
      const short = columns.findIndex((column) => column.length < rows);
      const found =
        columns.length === numFeature
          ? `column ${short} has ${columns[short]!.length}`
          : `${columns.length} columns`;
      throw new PredictArgumentError(`predict takes ${numFeature} columns of ${rows} rows, but ${found}.`);
    }
    const outputs = this.outputs;
    const [first, end] = this.#rounds(options);
    const perRound = outputs * parallelTrees;
    const margins = new Float32Array(rows * outputs);
    for (let at = 0; at < margins.length; at += outputs) margins.set(this.#baseMargins, at);
    const compiled = (this.#compiled ??= this.#compile());
    const last = Math.min(end * perRound, treeOutputs.length);
    addTrees(compiled, { columns, rows, outputs, treeOutputs, margins }, first * perRound, last);
    if (options.outputMargin !== true) objectiveByName(objective).transform(margins, outputs);
    return margins;
  }

  /** @throws PredictArgumentError when the model has no such rounds. */
  #rounds({ iterationRange }: PredictOptions): readonly [number, number] {
    if (iterationRange === undefined) return this.defaultRange();
    const [first, end] = iterationRange;
    const rounds = modelRounds(this.model);
    if (first === 0 && end === 0) return [0, rounds];
    if (Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first < end && end <= rounds)
      return iterationRange;
    throw new PredictArgumentError(
      `iterationRange is [${first}, ${end}], expected whole numbers 0 <= first < end <= ${rounds}, the rounds of the ` +
        `model, or [0, 0] for all.`,
      { field: 'iterationRange' },
    );
  }

  #compile(): CompiledForest {
    const { trees, numFeature, treeOutputs } = this.model;
    const forest = compileForest(trees, numFeature);
    const arrays = { ...forest, treeOutputs: Int32Array.from(treeOutputs) };
    const fast = WasmForest.open(arrays, this.outputs, blockWords(forest.slots), BLOCK_ROWS);
    return { forest, walk: fast ?? new ForestWalk(forest) };
  }
}

interface CompiledForest {
  readonly forest: FlatForest;
  readonly walk: ForestWalk | WasmForest;
}

interface AddedRows {
  readonly columns: readonly Float32Array[];
  readonly rows: number;
  readonly outputs: number;
  readonly treeOutputs: ArrayLike<number>;
  /** [row][output]. */
  readonly margins: Float32Array;
}

/** Adds trees [first, end) to the margins, in float32 and in the order of the trees. */
function addTrees(
  { forest: { slots, leafValues }, walk }: CompiledForest,
  { columns, rows, outputs, treeOutputs, margins }: AddedRows,
  first: number,
  end: number,
): void {
  if (walk instanceof ForestWalk) {
    walk.forEachLeaf(columns, rows, first, end, (leaves, t, start, count) => {
      const offset = start * outputs + treeOutputs[t]!;
      for (let i = 0; i < count; i += 1) margins[offset + i * outputs]! += leafValues[leaves[i]!]!;
    });
    return;
  }
  const block = walk.block();
  for (let start = 0; start < rows; start += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - start);
    fillRowBlock(slots, block, columns, start, count);
    walk.add(margins.subarray(start * outputs, (start + count) * outputs), first, end);
  }
}
