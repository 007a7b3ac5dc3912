// Predictions of a model on raw columns, in float32 as XGBoost computes them.

import { PredictArgumentError } from '../errors/gbdtErrors.ts';
import { linkByName } from '../objective/registry.ts';
import { compileForest, type FlatForest } from './flatForest.ts';
import { WasmForest } from '../../../kernels/gbdt/wasm/wasmForest.ts';
import { ForestWalk } from './forestWalk.ts';
import { addLinear } from './linearMargins.ts';
import { BLOCK_ROWS, blockWords, fillRowBlock } from './rowSlots.ts';
import type { GbdtModel } from './model.ts';
import { modelBaseMargins, modelOutputs, modelRounds, predictionOutputs } from './model.ts';

export interface PredictOptions {
  /** Margins instead of predictions. */
  readonly outputMargin?: boolean;
  /**
   * Rounds [first, end) to use; [0, 0] is all. Default: up to the best one where early stopping left best_iteration and
   * best_score in the model, else all.
   */
  readonly iterationRange?: readonly [first: number, end: number];
  /** The leaf that a row ends in, in place of predictions: a node's number in the model's file, one a tree. */
  readonly predLeaf?: boolean;
  /** Margins before the first tree, [row][output], in place of those of base_score. */
  readonly baseMargin?: Float32Array;
}

export class Predictor {
  readonly model: GbdtModel;
  /** Margins of a row. */
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
   * The form of what `predict` gives for so many rows. It is that of XGBoost's predict: rows alone where there is one number
   * a row; strict, always rows and outputs, of leaves rows, rounds, outputs and trees of an output in a round.
   */
  shape(rows: number, options: PredictOptions = {}, isStrict = false): readonly number[] {
    const width = this.width(options);
    if (options.predLeaf !== true) return width === 1 && !isStrict ? [rows] : [rows, width];
    if (!isStrict) return [rows, width];
    const [first, end] = this.#rounds(options);
    const outputs = this.model.hasVectorLeaves ? 1 : this.outputs;
    return [rows, end - first, outputs, width / Math.max(1, (end - first) * outputs)];
  }

  /** Numbers that `predict` gives for a row. @throws PredictArgumentError when the model has no such rounds. */
  width(options: PredictOptions = {}): number {
    if (options.predLeaf === true) {
      const [first, end] = this.#trees(options);
      return (end - first) / this.#treesOfLeaf;
    }
    return options.outputMargin === true ? this.outputs : predictionOutputs(this.model);
  }

  /**
   * Predicts rows given as columns.
   * @param columns model.numFeature columns of `rows` values; NaN is missing; categories as codes.
   * @returns [row][output]; leaves are [row][tree].
   * @throws PredictArgumentError when columns, margins or rounds don't fit the model.
   */
  predict(
    columns: readonly Float32Array[],
    rows: number,
    options: PredictOptions = {},
  ): Float32Array<ArrayBuffer> {
    this.#checkColumns(columns, rows);
    const [first, end] = this.#trees(options);
    if (options.predLeaf === true) return this.#leaves(columns, rows, first, end);
    const outputs = this.outputs;
    const margins = this.#startingMargins(rows, options);
    const { linear, treeOutputs } = this.model;
    if (linear) addLinear(linear, columns, rows, margins);
    else addTrees(this.#forest(), { columns, rows, outputs, treeOutputs, margins }, first, end);
    if (options.outputMargin === true) return margins;
    const link = linkByName(this.model.objective);
    link.transform(margins, outputs);
    return link.predictsClass === true ? margins.slice(0, rows) : margins;
  }

  /** @throws PredictArgumentError */
  #checkColumns(columns: readonly Float32Array[], rows: number): void {
    const { numFeature } = this.model;
    const short = columns.findIndex((column) => column.length < rows);
    if (columns.length === numFeature && short === -1) return;
    const found =
      columns.length === numFeature
        ? `column ${short} has ${columns[short]!.length}`
        : `${columns.length} columns`;
    throw new PredictArgumentError(`predict takes ${numFeature} columns of ${rows} rows, but ${found}.`);
  }

  #startingMargins(rows: number, { baseMargin }: PredictOptions): Float32Array<ArrayBuffer> {
    const outputs = this.outputs;
    if (baseMargin === undefined) {
      const margins = new Float32Array(rows * outputs);
      for (let at = 0; at < margins.length; at += outputs) margins.set(this.#baseMargins, at);
      return margins;
    }
    if (baseMargin.length === rows * outputs) return Float32Array.from(baseMargin);
    throw new PredictArgumentError(
      `baseMargin has ${baseMargin.length} numbers, expected ${rows * outputs}: ${outputs} a row.`,
      { field: 'baseMargin' },
    );
  }

  /** Trees of which the leaf is the same. */
  get #treesOfLeaf(): number {
    return this.model.hasVectorLeaves ? this.outputs : 1;
  }

  /** [row][tree] */
  #leaves(
    columns: readonly Float32Array[],
    rows: number,
    first: number,
    end: number,
  ): Float32Array<ArrayBuffer> {
    const { linear } = this.model;
    if (linear)
      throw new PredictArgumentError('predLeaf is for trees; the model is linear.', { field: 'predLeaf' });
    const { forest } = this.#forest();
    const step = this.#treesOfLeaf;
    const width = (end - first) / step;
    const result = new Float32Array(rows * width);
    new ForestWalk(forest).forEachLeaf(columns, rows, first, end, (leaves, t, start, count) => {
      if ((t - first) % step !== 0) return;
      const column = (t - first) / step;
      for (let i = 0; i < count; i += 1) result[(start + i) * width + column] = forest.nodeIds[leaves[i]!]!;
    });
    return result;
  }

  /** Trees [first, end) of the rounds that are asked for. @throws PredictArgumentError */
  #trees(options: PredictOptions): readonly [first: number, end: number] {
    const [first, end] = this.#rounds(options);
    const { parallelTrees, roundStarts, trees } = this.model;
    if (roundStarts) return [roundStarts[first]!, roundStarts[end]!];
    const perRound = this.outputs * parallelTrees;
    // The last round may have fewer trees.
    return [first * perRound, end === modelRounds(this.model) ? trees.length : end * perRound];
  }

  /** @throws PredictArgumentError when the model has no such rounds. */
  #rounds({ iterationRange }: PredictOptions): readonly [number, number] {
    if (iterationRange === undefined) return this.defaultRange();
    const [first, end] = iterationRange;
    const rounds = modelRounds(this.model);
    if (first === 0 && end === 0) return [0, rounds];
    if (this.model.linear)
      throw new PredictArgumentError('iterationRange is for trees; the model is linear.', {
        field: 'iterationRange',
      });
    if (Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first < end && end <= rounds)
      return iterationRange;
    throw new PredictArgumentError(
      `iterationRange is [${first}, ${end}], expected whole numbers 0 <= first < end <= ${rounds}, the rounds of the ` +
        `model, or [0, 0] for all.`,
      { field: 'iterationRange' },
    );
  }

  #forest(): CompiledForest {
    return (this.#compiled ??= this.#compile());
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
