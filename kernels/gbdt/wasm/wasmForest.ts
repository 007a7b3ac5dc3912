// A model's trees in WebAssembly: raw values down all of them, a block of rows at a time.

import type { HeapPiece, WasmHeap } from '../../wasm/wasmHeap.ts';
import { aloneRuntime, type AloneRuntime } from './aloneRuntime.ts';

/** As shared/gbdt/model/flatForest.ts lays trees out. */
export interface ForestArrays {
  readonly nodes: Int32Array;
  readonly sets: Int32Array;
  readonly leafValues: Float32Array;
  readonly roots: Int32Array;
  readonly steps: Int32Array;
  readonly hasCategories: Uint8Array;
  /** Output that each tree adds to. */
  readonly treeOutputs: Int32Array;
}

/** Memory of forests that nothing can reach any more. */
const unused = new FinalizationRegistry<{ heap: WasmHeap; pieces: readonly HeapPiece[] }>(
  ({ heap, pieces }) => {
    for (const piece of pieces) heap.free(piece);
  },
);

export class WasmForest {
  readonly #runtime: AloneRuntime;
  /** What the kernel is told of the forest. */
  readonly #fixed: Readonly<Record<string, number>>;
  readonly #parameters: number;
  readonly #keys: number;
  readonly #keyWords: number;
  readonly #margins: number;
  readonly #outputs: number;
  readonly #blockRows: number;

  private constructor(
    runtime: AloneRuntime,
    forest: ForestArrays,
    outputs: number,
    keyWords: number,
    blockRows: number,
  ) {
    const { heap } = runtime;
    const pieces: HeapPiece[] = [];
    const take = (bytes: number): number => {
      const piece = heap.allocate(bytes);
      pieces.push(piece);
      return piece.at;
    };
    unused.register(this, { heap, pieces });
    const put = (array: Int32Array | Float32Array | Uint8Array): number => {
      const at = take(array.byteLength);
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      heap.view('u8', at, array.byteLength).set(bytes);
      return at;
    };
    this.#runtime = runtime;
    this.#outputs = outputs;
    this.#keyWords = keyWords;
    this.#blockRows = blockRows;
    this.#keys = take(4 * keyWords);
    this.#margins = take(4 * blockRows * outputs);
    this.#parameters = take(64);
    this.#fixed = {
      nodes: put(forest.nodes),
      sets: put(forest.sets),
      keys: this.#keys,
      leafValues: put(forest.leafValues),
      roots: put(forest.roots),
      steps: put(forest.steps),
      hasCategories: put(forest.hasCategories),
      treeOutputs: put(forest.treeOutputs),
      outputs,
      margins: this.#margins,
    };
  }

  /**
   * Undefined where this engine or memory can't; plain code does it then.
   * @param keyWords of a block's keys. @param blockRows of a block.
   */
  static open(
    forest: ForestArrays,
    outputs: number,
    keyWords: number,
    blockRows: number,
  ): WasmForest | undefined {
    const runtime = aloneRuntime();
    if (!runtime) return undefined;
    try {
      return new WasmForest(runtime, forest, outputs, keyWords, blockRows);
    } catch {
      // The memory does not grow as far.
      return undefined;
    }
  }

  /** Where a block's keys are to be written, as floats and as keys; it holds until another forest is opened. */
  block(): { readonly floats: Float32Array; readonly keys: Int32Array } {
    const { heap } = this.#runtime;
    return {
      floats: heap.view('f32', this.#keys, this.#keyWords),
      keys: heap.view('i32', this.#keys, this.#keyWords),
    };
  }

  /** Adds trees [first, end), in their order, to the margins of the block's rows, [row][output]. */
  add(margins: Float32Array, first: number, end: number): void {
    const { heap, exports } = this.#runtime;
    const rows = margins.length / this.#outputs;
    if (rows > this.#blockRows) throw new RangeError(`${rows} rows, expected at most ${this.#blockRows}.`);
    const inHeap = heap.view('f32', this.#margins, margins.length);
    inHeap.set(margins);
    heap.writeWords(this.#parameters, { ...this.#fixed, first, end, rows });
    exports.addForest(this.#parameters);
    margins.set(inHeap);
  }
}
