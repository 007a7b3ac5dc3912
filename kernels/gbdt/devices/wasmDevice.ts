// The tree device in WebAssembly, on the threads of the machine: what machines without a GPU run. The same integers as those of
// the plain one (cpuDevice.ts), in a third of its time on one thread.

import { treesModule } from '../../wasm/built/trees.ts';
import { WasmRuntime } from '../../wasm/wasmRuntime.ts';
import type { ThreadChoice } from '../../wasm/wasmRuntime.ts';
import type { BinnedTree } from '../binnedTree.ts';
import { checkBlock, checkSpec } from '../checkBlock.ts';
import { checkNodeSplits, checkTree } from '../checkTree.ts';
import { DeviceStateError } from '../deviceErrors.ts';
import { layoutHistogram } from '../histogramLayout.ts';
import {
  EXP_LIMIT,
  SIGMOID_LIMIT,
  buildExpTable,
  buildSigmoidTable,
  softmaxShift,
} from '../probabilityTable.ts';
import { treeMatchesSplits } from '../splitRoute.ts';
import type { BinnedBlock, DeviceSpec, LoadedBlock, NodeSplit, TreeDevice } from '../treeDevice.ts';
import { writeRoutes, writeStanding, writeWalk } from '../wasm/addTrees.ts';
import { HistogramJobs } from '../wasm/histogramJobs.ts';
import type { LevelWork } from '../wasm/histogramJobs.ts';
import * as kernels from '../../wasm/assembly/trees/kernelNumbers.ts';
import { TreeLists } from '../wasm/heapLists.ts';
import { WasmSplitSearch } from '../wasm/wasmSplitSearch.ts';
import { freeBlock, storeBlock, widenRanges } from '../wasm/wasmBlock.ts';
import type { WasmBlock } from '../wasm/wasmBlock.ts';

const gradientNumbers = {
  logistic: kernels.LOGISTIC,
  softmax: kernels.SOFTMAX,
  squaredError: kernels.SQUARED_ERROR,
} as const;

class WasmTreeDevice implements TreeDevice {
  readonly description;
  readonly lost: Promise<string>;
  readonly splitSearch: WasmSplitSearch;
  readonly #spec: DeviceSpec;
  readonly #runtime: WasmRuntime;
  readonly #lists: TreeLists;
  readonly #histograms: HistogramJobs;
  readonly #blocks = new Set<WasmBlock>();
  /** Of the gradients; its last entry is there twice. */
  readonly #table: number;
  /** Of the largest block so far. */
  #mostRows = 0;
  /** That the ranges of blocks have room for. */
  #nodes = 128;
  #waiting: readonly NodeSplit[] = [];
  #applied: NodeSplit[] = [];
  /** Whether what outputs of softmax share is that of the margins as they are. */
  #isNormalised = false;
  #isClosed = false;

  constructor(spec: DeviceSpec, runtime: WasmRuntime) {
    const { heap, threads } = runtime;
    this.#spec = spec;
    this.#runtime = runtime;
    this.lost = runtime.lost;
    this.splitSearch = new WasmSplitSearch(runtime);
    this.description = { kind: 'cpu', name: `WebAssembly, threads: ${threads}` } as const;
    this.#lists = new TreeLists(heap);
    this.#histograms = new HistogramJobs(runtime, layoutHistogram(spec.slotsPerFeature));
    const table = spec.gradient === 'softmax' ? buildExpTable() : buildSigmoidTable();
    this.#table = heap.allocate(4 * (table.length + 1)).at;
    heap.view('u32', this.#table, table.length + 1).set([...table, table.at(-1)!]);
  }

  async load(block: BinnedBlock, role: LoadedBlock['role']): Promise<LoadedBlock> {
    this.#checkOpen();
    checkBlock(this.#spec, block);
    this.#holdRows(block.rows);
    const loaded = storeBlock(this.#runtime.heap, this.#spec, block, role, this.#nodes);
    this.#blocks.add(loaded);
    this.#isNormalised = false;
    return loaded;
  }

  unload(block: LoadedBlock): void {
    if (this.#blocks.delete(block as WasmBlock)) freeBlock(this.#runtime.heap, block as WasmBlock);
  }

  beginTree(round: number, output: number): void {
    this.#checkOpen();
    this.#applied = [];
    this.#waiting = [];
    const blocks = this.#training();
    for (const block of blocks) block.isGrowing = true;
    const { outputs, gradient, sampling } = this.#spec;
    const perBlock = this.#tasksPerBlock();
    const limit = gradient === 'softmax' ? EXP_LIMIT : SIGMOID_LIMIT;
    const isSampled = sampling.threshold < 2 ** 32 ? 1 : 0;
    this.#run(kernels.GRADIENTS, perBlock * blocks.length, {
      blocks: this.#list(blocks),
      perBlock,
      kind: gradientNumbers[gradient],
      output,
      outputs,
      table: this.#table,
      limit,
      shift: softmaxShift(outputs),
      seed: sampling.seed,
      round,
      isSampled,
      threshold: sampling.threshold,
      nodes: this.#nodes,
      normalises: this.#isNormalised ? 0 : 1,
    });
    this.#isNormalised = true;
  }

  async buildHistograms(nodes: Int32Array, limb: 'high' | 'low' = 'high'): Promise<Float64Array> {
    this.#checkOpen();
    if (limb === 'low' && this.#spec.isWide !== true) {
      throw new DeviceStateError('There is one limb alone: the spec is not wide.');
    }
    const work = this.#levelWork();
    this.#waiting = [];
    // No row is at a node that was never split off.
    const held = nodes.map((node) => (node < this.#nodes ? node : this.#nodes));
    return this.#histograms.build(work, held, limb);
  }

  applySplits(splits: readonly NodeSplit[]): void {
    this.#checkOpen();
    checkNodeSplits(this.#spec, splits);
    this.#applied.push(...splits);
    // Carried out when a histogram is wanted, block by block as it is summed; after the last level never.
    this.#partition();
    this.#holdNodes(splits.reduce((most, { left, right }) => Math.max(most, left + 1, right + 1), 0));
    this.#waiting = splits;
  }

  applyTrees(handles: readonly LoadedBlock[], trees: readonly BinnedTree[]): void {
    this.#checkOpen();
    for (const tree of trees) checkTree(this.#spec, tree);
    const blocks = handles.map((handle) => this.#own(handle));
    this.#isNormalised = false;
    trees.forEach((tree, i) => {
      const output = i % this.#spec.outputs;
      const isGrown = i === trees.length - 1 && treeMatchesSplits(tree, this.#applied);
      const stands = ({ isGrowing, lowMarginsAt }: WasmBlock): boolean =>
        isGrown && isGrowing && lowMarginsAt === undefined;
      const standing = blocks.filter(stands);
      const others = blocks.filter((block) => !stands(block));
      if (standing.length > 0) this.#addStanding(standing, tree, output);
      if (others.length > 0) this.#walk(others, tree, output);
    });
  }

  async readMargins(handle: LoadedBlock): Promise<Int32Array> {
    this.#checkOpen();
    const { rows, marginsAt, lowMarginsAt } = this.#own(handle);
    const { heap } = this.#runtime;
    const margins = heap.view('i32', marginsAt, rows * this.#spec.outputs);
    if (lowMarginsAt === undefined) return new Int32Array(margins);
    const both = new Int32Array(2 * rows);
    both.set(margins);
    both.set(heap.view('i32', lowMarginsAt, rows), rows);
    return both;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#blocks.clear();
    this.#runtime.close();
  }

  #addStanding(blocks: readonly WasmBlock[], tree: BinnedTree, output: number): void {
    // A walk below the children of a split that waits needs it carried out.
    const areLeaves = this.#waiting.every(
      ({ left, right }) => tree.left[left] === -1 && tree.left[right] === -1,
    );
    if (!areLeaves) this.#partition();
    const { heap } = this.#runtime;
    const { does, splits, routes } = writeStanding(heap, this.#lists, this.#spec, tree, this.#waiting);
    this.#run(kernels.ADD_STANDING, blocks.length, {
      blocks: this.#list(blocks),
      output,
      nodes: tree.left.length,
      does,
      splits,
      routes,
      identity: this.#lists.identity.reserve(0),
    });
  }

  #walk(blocks: readonly WasmBlock[], tree: BinnedTree, output: number): void {
    const { nodes, routes, depth, wide } = writeWalk(this.#runtime.heap, this.#lists, this.#spec, tree);
    const perBlock = this.#tasksPerBlock();
    const list = this.#list(blocks);
    this.#run(kernels.WALK, perBlock * blocks.length, {
      blocks: list,
      perBlock,
      output,
      nodes,
      routes,
      depth,
      wide,
    });
  }

  #run(kernel: number, tasks: number, parameters: Readonly<Record<string, number>>): void {
    const at = this.#lists.parameters.reserve(128);
    this.#runtime.heap.writeWords(at, parameters);
    this.#runtime.run(kernel, at, tasks);
  }

  #partition(): void {
    const work = this.#levelWork();
    this.#waiting = [];
    this.#histograms.partition(work);
  }

  /** The blocks that are trained on, with the splits that wait. */
  #levelWork(): LevelWork {
    const { heap } = this.#runtime;
    const blocks = this.#training();
    const waiting = this.#waiting;
    const splits = this.#lists.splits.reserve(16 * waiting.length);
    const words = heap.view('u32', splits, 4 * waiting.length);
    waiting.forEach(({ node, left, right, feature }, i) => words.set([node, left, right, feature], 4 * i));
    return {
      blocks: this.#list(blocks),
      blockCount: blocks.length,
      rows: blocks.reduce((sum, { rows }) => sum + rows, 0),
      splits,
      routes: writeRoutes(heap, this.#lists, this.#spec, waiting),
      splitCount: waiting.length,
      identity: this.#lists.identity.reserve(0),
      scratch: this.#lists.scratch.reserve(0),
      scratchBytes: scratchBytes(this.#mostRows),
    };
  }

  #list(blocks: readonly WasmBlock[]): number {
    const at = this.#lists.blocks.reserve(4 * blocks.length);
    const list = this.#runtime.heap.view('u32', at, blocks.length);
    blocks.forEach((block, i) => (list[i] = block.at));
    return at;
  }

  #holdRows(rows: number): void {
    if (rows <= this.#mostRows) return;
    const { heap, threads } = this.#runtime;
    this.#lists.scratch.reserve(threads * scratchBytes(rows));
    const identity = heap.view('u32', this.#lists.identity.reserve(4 * rows), rows);
    for (let row = 0; row < rows; row += 1) identity[row] = row;
    this.#mostRows = rows;
  }

  #holdNodes(nodes: number): void {
    if (nodes <= this.#nodes) return;
    this.#nodes = Math.max(nodes, 2 * this.#nodes);
    for (const block of this.#blocks) widenRanges(this.#runtime.heap, block, this.#nodes);
  }

  #tasksPerBlock(): number {
    return Math.max(1, Math.ceil(this.#mostRows / kernels.ROWS_PER_TASK));
  }

  #training(): WasmBlock[] {
    return [...this.#blocks].filter(({ role }) => role === 'train');
  }

  #own(block: LoadedBlock): WasmBlock {
    if (!this.#blocks.has(block as WasmBlock)) {
      throw new DeviceStateError(`The block from row ${block.firstRow} is not loaded on this device.`);
    }
    return block as WasmBlock;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new DeviceStateError('The tree device is closed.');
  }
}

/** Of a thread; it does not share cache lines with others. */
function scratchBytes(rows: number): number {
  return 64 * Math.ceil((4 * rows) / 64) + 64;
}

/**
 * A tree device in WebAssembly.
 * @param mostPages of 64 KiB of its memory.
 * @throws what the engine throws where it has no memory for it.
 */
export async function createWasmTreeDevice(
  spec: DeviceSpec,
  choice?: ThreadChoice,
  mostPages?: number,
): Promise<TreeDevice> {
  checkSpec(spec);
  return new WasmTreeDevice(spec, await WasmRuntime.open(treesModule, choice, mostPages));
}
