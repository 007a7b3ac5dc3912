// Histograms by several threads. Where there are many rows each thread adds blocks to cells of its own, which are added up
// afterwards; where there are many features each task has some of them, and all rows.

import type { WasmRuntime } from '../../wasm/wasmRuntime.ts';
import type { HistogramLayout } from '../histogramLayout.ts';
import {
  MERGE,
  MERGED_DOUBLES,
  PARTITION,
  SUM_FEATURES,
  SUM_ROWS,
} from '../../wasm/assembly/trees/kernelNumbers.ts';
import { HeapList } from './heapLists.ts';

/** From here on tasks have features of their own. */
const MANY_FEATURES = 64;
/** A stretch of fewer rows is not worth a task. */
const LEAST_ROWS = 4096;
/** For each thread, so that one that is late does not keep the others. */
const TASKS_A_THREAD = 4;

/** What `sumRows`, `sumFeatures` and `partition` are told of the blocks and of the splits that wait. */
export interface LevelWork {
  /** [block]: addresses. */
  readonly blocks: number;
  readonly blockCount: number;
  readonly rows: number;
  readonly splits: number;
  readonly routes: number;
  readonly splitCount: number;
  readonly identity: number;
  /** [thread]. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

export class HistogramJobs {
  readonly #runtime: WasmRuntime;
  readonly #layout: HistogramLayout;
  readonly #parameters: HeapList;
  readonly #nodes: HeapList;
  readonly #cells: HeapList;
  readonly #others: HeapList;
  readonly #firstSlots: number;
  readonly #marks: number;
  #job = 0;
  /** Of the gradients: 1 for the low one. */
  #limb = 0;

  constructor(runtime: WasmRuntime, layout: HistogramLayout) {
    const { heap, threads } = runtime;
    this.#runtime = runtime;
    this.#layout = layout;
    this.#parameters = new HeapList(heap);
    this.#nodes = new HeapList(heap);
    this.#cells = new HeapList(heap);
    this.#others = new HeapList(heap);
    const { firstSlot } = layout;
    this.#firstSlots = heap.allocate(4 * firstSlot.length).at;
    heap.view('i32', this.#firstSlots, firstSlot.length).set(firstSlot);
    this.#marks = heap.allocate(64 * threads).at;
    heap.view('u8', this.#marks, 64 * threads).fill(0);
  }

  /** Carries out the splits that wait. */
  partition(work: LevelWork): void {
    if (work.splitCount === 0) return;
    const parameters = this.#write(work, new Int32Array(0), 0, 1, 0);
    this.#runtime.run(PARTITION, parameters, work.blockCount);
  }

  /** As TreeDevice.buildHistograms, after carrying out the splits that wait. */
  build(work: LevelWork, nodes: Int32Array, limb: 'high' | 'low'): Float64Array {
    this.#limb = limb === 'low' ? 1 : 0;
    const { threads } = this.#runtime;
    const doubles = 2 * this.#layout.slots * nodes.length;
    if (doubles === 0 || work.blockCount === 0) {
      this.partition(work);
      return new Float64Array(doubles);
    }
    if (threads > 1 && this.#layout.features >= MANY_FEATURES) return this.#byFeatures(work, nodes, doubles);
    return this.#byRows(work, nodes, doubles);
  }

  #byFeatures(work: LevelWork, nodes: Int32Array, doubles: number): Float64Array {
    this.partition(work);
    const { features } = this.#layout;
    const step = 8 * Math.ceil(features / (TASKS_A_THREAD * this.#runtime.threads) / 8);
    const cells = this.#cells.reserve(8 * doubles);
    const parameters = this.#write(work, nodes, cells, 1, step);
    this.#runtime.run(SUM_FEATURES, parameters, Math.ceil(features / step));
    return this.#take(cells, doubles);
  }

  #byRows(work: LevelWork, nodes: Int32Array, doubles: number): Float64Array {
    const { threads } = this.#runtime;
    const parts = this.#partsOf(work);
    if (parts > 1) this.partition(work);
    const cells = this.#cells.reserve(8 * doubles * threads);
    this.#job += 1;
    this.#runtime.run(SUM_ROWS, this.#write(work, nodes, cells, parts, 0), work.blockCount * parts);
    const took = this.#threadsThatTook().map((thread) => cells + 8 * doubles * thread);
    const [first = cells, ...others] = took;
    if (others.length > 0) this.#merge(first, others, doubles);
    return this.#take(first, doubles);
  }

  /** Stretches of each block's rows that are tasks of their own. */
  #partsOf({ blockCount, rows }: LevelWork): number {
    const { threads } = this.#runtime;
    if (threads === 1 || blockCount >= 2 * threads) return 1;
    const wanted = Math.ceil((TASKS_A_THREAD * threads) / blockCount);
    return Math.max(1, Math.min(wanted, Math.floor(rows / blockCount / LEAST_ROWS)));
  }

  #threadsThatTook(): number[] {
    const { heap, threads } = this.#runtime;
    const marks = heap.view('u32', this.#marks, 16 * threads);
    return Array.from({ length: threads }, (_, i) => i).filter((thread) => marks[16 * thread] === this.#job);
  }

  #merge(first: number, others: readonly number[], doubles: number): void {
    const { heap } = this.#runtime;
    const list = this.#others.reserve(4 * others.length);
    const parameters = this.#parameters.reserve(128);
    heap.view('u32', list, others.length).set(others);
    heap.writeWords(parameters, { cells: first, doubles, others: list, count: others.length });
    this.#runtime.run(MERGE, parameters, Math.ceil(doubles / MERGED_DOUBLES));
  }

  #take(at: number, doubles: number): Float64Array {
    return new Float64Array(this.#runtime.heap.view('f64', at, doubles));
  }

  #write(work: LevelWork, nodes: Int32Array, cells: number, parts: number, step: number): number {
    const { heap } = this.#runtime;
    const list = this.#nodes.reserve(4 * nodes.length);
    const parameters = this.#parameters.reserve(128);
    heap.view('i32', list, nodes.length).set(nodes);
    const nodeBytes = 16 * this.#layout.slots;
    heap.writeWords(parameters, {
      blocks: work.blocks,
      blockCount: work.blockCount,
      parts,
      splits: work.splits,
      routes: work.routes,
      splitCount: work.splitCount,
      identity: work.identity,
      scratch: work.scratch,
      scratchBytes: work.scratchBytes,
      nodes: list,
      nodeCount: nodes.length,
      cells,
      cellBytes: nodeBytes * nodes.length,
      nodeBytes,
      firstSlots: this.#firstSlots,
      features: this.#layout.features,
      step,
      marks: this.#marks,
      job: this.#job,
      limb: this.#limb,
    });
    return parameters;
  }
}
