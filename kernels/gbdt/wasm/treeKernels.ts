// The kernels of trees in WebAssembly: their numbers, and lists that they are given.

import type { HeapPiece, WasmHeap } from '../../wasm/wasmHeap.ts';

/** As in the dispatch of assembly/trees/index.ts. */
export const treeKernels = {
  gradients: 0,
  partition: 1,
  sumRows: 2,
  sumFeatures: 3,
  merge: 4,
  addStanding: 5,
  walk: 6,
  search: 7,
} as const;

/** Rows of a task of `gradients` and of `walk`. */
export const ROWS_PER_TASK = 16_384;
/** Doubles of a task of `merge`. */
export const MERGED_DOUBLES = 8192;
/** Number of a kind of gradients. */
export const gradientNumbers = { logistic: 0, softmax: 1, squaredError: 2 } as const;

/** Memory that is written anew for each job and grows with what is asked for. */
export class HeapList {
  readonly #heap: WasmHeap;
  #piece: HeapPiece | undefined;

  constructor(heap: WasmHeap) {
    this.#heap = heap;
  }

  /** The address of at least so many bytes. Their content is not kept when they have to move. */
  reserve(bytes: number): number {
    if (this.#piece === undefined || this.#piece.bytes < bytes) {
      if (this.#piece) this.#heap.free(this.#piece);
      this.#piece = undefined;
      this.#piece = this.#heap.allocate(bytes);
    }
    return this.#piece.at;
  }
}

/** What jobs of a device are told, each in its place. */
export class TreeLists {
  readonly parameters: HeapList;
  /** [i]: addresses of blocks. */
  readonly blocks: HeapList;
  readonly splits: HeapList;
  readonly routes: HeapList;
  readonly nodes: HeapList;
  readonly wideValues: HeapList;
  /** Counts up from zero, for as many rows as the largest block has. */
  readonly identity: HeapList;
  /** [thread]: rows. */
  readonly scratch: HeapList;

  constructor(heap: WasmHeap) {
    this.parameters = new HeapList(heap);
    this.blocks = new HeapList(heap);
    this.splits = new HeapList(heap);
    this.routes = new HeapList(heap);
    this.nodes = new HeapList(heap);
    this.wideValues = new HeapList(heap);
    this.identity = new HeapList(heap);
    this.scratch = new HeapList(heap);
  }
}
