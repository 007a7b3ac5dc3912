// Lists that the kernels of trees in WebAssembly are given.

import type { HeapPiece, WasmHeap } from '../../wasm/wasmHeap.ts';

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
