// Split search in WebAssembly: a task for each node, or for some features of one.

import type { WasmRuntime } from '../../wasm/wasmRuntime.ts';
import type { SearchedNode, SplitCandidate, SplitRules, SplitSearch } from '../splitCandidate.ts';
import { RESULT_BYTES, SEARCH } from '../../wasm/assembly/trees/kernelNumbers.ts';
import { HeapList } from './heapLists.ts';

const NODE_BYTES = 64;
/** Sums of two sides, and a key for each category. */
const SCRATCH_BYTES = 64 + 8 * 256;
/** Slots of a node that are worth a task. */
const SLOTS_A_TASK = 2048;

export class WasmSplitSearch implements SplitSearch {
  readonly #runtime: WasmRuntime;
  readonly #parameters: HeapList;
  readonly #rules: HeapList;
  readonly #features: HeapList;
  readonly #nodes: HeapList;
  readonly #sums: HeapList;
  readonly #allowed: HeapList;
  readonly #results: HeapList;
  readonly #scratch: HeapList;
  /** Those that are written down. */
  #written: SplitRules | undefined;

  constructor(runtime: WasmRuntime) {
    const { heap } = runtime;
    this.#runtime = runtime;
    this.#parameters = new HeapList(heap);
    this.#rules = new HeapList(heap);
    this.#features = new HeapList(heap);
    this.#nodes = new HeapList(heap);
    this.#sums = new HeapList(heap);
    this.#allowed = new HeapList(heap);
    this.#results = new HeapList(heap);
    this.#scratch = new HeapList(heap);
  }

  find(
    rules: SplitRules,
    first: number,
    end: number,
    nodes: readonly SearchedNode[],
  ): (SplitCandidate | undefined)[] {
    const features = end - first;
    if (nodes.length === 0 || features <= 0) return nodes.map(() => undefined);
    if (this.#written !== rules) this.#writeRules(rules);
    const perNode = this.#tasksPerNode(features, nodes[0]!.sums.length / 2);
    const step = Math.ceil(features / perNode);
    const tasks = perNode * nodes.length;
    const { threads, heap } = this.#runtime;
    const results = this.#results.reserve(RESULT_BYTES * tasks);
    const scratch = this.#scratch.reserve(SCRATCH_BYTES * threads);
    const nodeList = this.#writeNodes(nodes);
    const allowed = this.#writeAllowed(nodes, features);
    const parameters = this.#parameters.reserve(64);
    heap.writeWords(parameters, {
      rules: this.#rules.reserve(0),
      nodes: nodeList,
      nodeBytes: NODE_BYTES,
      first,
      end,
      step,
      perNode,
      features: this.#features.reserve(0),
      allowed,
      results,
      scratch,
      scratchBytes: SCRATCH_BYTES,
    });
    this.#runtime.run(SEARCH, parameters, tasks);
    return nodes.map((node, i) => this.#best(node, results + RESULT_BYTES * perNode * i, perNode));
  }

  #tasksPerNode(features: number, slots: number): number {
    if (this.#runtime.threads === 1) return 1;
    const step = Math.ceil(features / Math.max(1, Math.min(features, Math.floor(slots / SLOTS_A_TASK))));
    return Math.ceil(features / step);
  }

  #writeRules(rules: SplitRules): void {
    const { heap } = this.#runtime;
    const { features, gradientUnit, hessianUnit, lambda, alpha, maxDeltaStep, minChildWeight } = rules;
    const at = this.#rules.reserve(64);
    const list = this.#features.reserve(16 * features.length);
    heap.view('f64', at, 6).set([gradientUnit, hessianUnit, lambda, alpha, maxDeltaStep, minChildWeight]);
    const isConstrained = features.some(({ monotone }) => monotone !== 0);
    heap.view('u32', at + 48, 3).set([isConstrained ? 1 : 0, rules.maxCatToOnehot, rules.maxCatThreshold]);
    const words = heap.view('i32', list, 4 * features.length);
    let slot = 0;
    features.forEach(({ bins, categorical, monotone }, i) => {
      words.set([bins, categorical ? 1 : 0, monotone, slot], 4 * i);
      slot += bins + 1;
    });
    this.#written = rules;
  }

  #writeNodes(nodes: readonly SearchedNode[]): number {
    const { heap } = this.#runtime;
    const doubles = nodes.reduce((sum, { sums, lowSums }) => sum + sums.length + (lowSums?.length ?? 0), 0);
    const at = this.#nodes.reserve(NODE_BYTES * nodes.length);
    let sumsAt = this.#sums.reserve(8 * doubles);
    const numbers = heap.view('f64', at, 8 * nodes.length);
    const words = heap.view('u32', at, 16 * nodes.length);
    const cells = heap.view('f64', sumsAt, doubles);
    let next = 0;
    const store = (values: Float64Array): number => {
      const address = sumsAt;
      cells.set(values, next);
      next += values.length;
      sumsAt += 8 * values.length;
      return address;
    };
    nodes.forEach(({ g, h, low, gain, bounds, sums, lowSums }, i) => {
      numbers.set([g, h, low?.g ?? 0, low?.h ?? 0, gain, bounds.lower, bounds.upper], 8 * i);
      words[16 * i + 14] = store(sums);
      words[16 * i + 15] = lowSums ? store(lowSums) : 0;
    });
    return at;
  }

  #writeAllowed(nodes: readonly SearchedNode[], features: number): number {
    const at = this.#allowed.reserve(features * nodes.length);
    const flags = this.#runtime.heap.view('u8', at, features * nodes.length);
    nodes.forEach(({ allowed }, i) => flags.set(allowed, features * i));
    return at;
  }

  /** Of a node's tasks, which stand in the order of their features: the first of the largest gain. */
  #best(node: SearchedNode, at: number, tasks: number): SplitCandidate | undefined {
    const { heap } = this.#runtime;
    let best = -1;
    let gain = 0;
    for (let task = 0; task < tasks; task += 1) {
      const found = heap.view('f64', at + RESULT_BYTES * task, 1)[0]!;
      if (!(found > gain)) continue;
      gain = found;
      best = task;
    }
    return best < 0 ? undefined : this.#read(node, gain, at + RESULT_BYTES * best);
  }

  #read({ g, h, low }: SearchedNode, gain: number, at: number): SplitCandidate {
    const { heap } = this.#runtime;
    const [feature, bin, missingLeft, isCategorical] = heap.view('i32', at + 8, 4);
    const [leftG, leftH, lowG, lowH] = heap.view('f64', at + 24, 4);
    return {
      gain,
      leftG: leftG!,
      leftH: leftH!,
      rightG: g - leftG!,
      rightH: h - leftH!,
      ...(low && { low: { leftG: lowG!, leftH: lowH!, rightG: low.g - lowG!, rightH: low.h - lowH! } }),
      feature: feature!,
      splitBin: bin!,
      categories: isCategorical === 1 ? heap.view('u32', at + 56, 8).slice() : undefined,
      missingGoesLeft: missingLeft === 1,
    };
  }
}
