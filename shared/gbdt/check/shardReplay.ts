// Rounds of boosting once more over one shard, from their trees: each row's gradients and its leaf. That is enough for the sums
// of every node, and for the fingerprints of all histograms: a row adds to every feature's histogram what it adds to the first
// one's, so that what weighs its slots is summed once for many rounds, and no histogram is built.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { createCpuBlock, type CpuBlock } from '../../../kernels/gbdt/cpuBlock.ts';
import { computeGradients } from '../../../kernels/gbdt/devices/cpuGradients.ts';
import { addToMargin, addToWideMargin, highLimb } from '../../../kernels/gbdt/fixedPoint.ts';
import { buildGradientTables, type GradientTables } from '../../../kernels/gbdt/gradients.ts';
import { findLeaves, makeSearchable, type SearchableTree } from '../../../kernels/gbdt/leafSearch.ts';
import { LIMB_BITS, type DeviceSpec } from '../../../kernels/gbdt/treeDevice.ts';
import { wideLeafUnits } from '../../../kernels/gbdt/wideLeaf.ts';
import { binnedBlock } from '../binnedBlock.ts';
import type { MetricBlock } from '../metric/metric.ts';
import type { ShardRows } from '../shardCodec.ts';
import type { TrainSpec } from '../trainSpec.ts';
import type { CheckVector } from './checkKey.ts';
import { reduce, ROUNDING } from './modular.ts';

/** Of one tree, over some rows, by node; where sums are wide of each limb. */
export interface ReplayedTree {
  /** [limb][node][g, h]: exact. */
  readonly sums: readonly Float64Array[];
  /** [limb][vector][node]: fingerprints of the nodes' histograms. */
  readonly prints: readonly (readonly Float64Array[])[];
}

export function emptyReplay(
  { isWide }: Pick<DeviceSpec, 'isWide'>,
  nodes: number,
  vectors: number,
): ReplayedTree {
  const limbs = isWide === true ? 2 : 1;
  return {
    sums: Array.from({ length: limbs }, () => new Float64Array(2 * nodes)),
    prints: Array.from({ length: limbs }, () =>
      Array.from({ length: vectors }, () => new Float64Array(nodes)),
    ),
  };
}

/** The histogram of one node, built beside. */
export interface PickedHistogram {
  readonly output: number;
  /** By node: whether it lies below the picked one, or is it. */
  readonly isUnder: Uint8Array;
  /** First slot of each feature. */
  readonly firstSlots: readonly number[];
  /** [limb][slot][g, h]. */
  readonly cells: readonly Float64Array[];
}

/** Adds what children have to their parents: rows are counted at leaves first. */
export function addUpwards(
  { sums, prints }: ReplayedTree,
  tree: BinnedTree,
  vectors: readonly CheckVector[],
): void {
  for (let node = tree.left.length - 1; node > 0; node -= 1) {
    const parent = tree.parent[node]!;
    for (const limb of sums) {
      limb[2 * parent]! += limb[2 * node]!;
      limb[2 * parent + 1]! += limb[2 * node + 1]!;
    }
    for (const limb of prints) {
      limb.forEach((ofNodes, i) => {
        ofNodes[parent] = reduce(ofNodes[parent]! + ofNodes[node]!, vectors[i]!.modulus);
      });
    }
  }
}

export class ShardReplay {
  readonly #spec: TrainSpec;
  readonly #tables: GradientTables;
  readonly #block: CpuBlock;
  readonly #labels: Float32Array;
  readonly #weights: Float32Array | undefined;
  /** [vector][row]: the weights of a row's slots, added up. */
  #rowWeights: Uint32Array[] = [];
  #before: { readonly high: Int32Array; readonly low: Int32Array | undefined } | undefined;

  constructor(spec: TrainSpec, shard: ShardRows, tables: GradientTables = buildGradientTables()) {
    this.#spec = spec;
    this.#tables = tables;
    this.#labels = shard.labels.slice();
    this.#weights = shard.weights?.slice();
    const nothing = new Uint32Array(0);
    const block = createCpuBlock(spec.device, binnedBlock(shard, spec), 'train', nothing);
    // Histograms and partitions need these, and nothing here does.
    this.#block = { ...block, columns: [], order: nothing };
  }

  get rows(): number {
    return this.#block.rows;
  }

  /** Margins are taken back to here by `restore`. */
  remember(): void {
    const { margins, low } = this.#block;
    this.#before = { high: margins.slice(), low: low?.margins?.slice() };
  }

  restore(): void {
    if (!this.#before) return;
    this.#block.margins.set(this.#before.high);
    if (this.#before.low) this.#block.low?.margins?.set(this.#before.low);
    this.#block.softmax.fresh = false;
  }

  /** Weighs the histograms' slots from now on by these vectors. */
  weigh(vectors: readonly CheckVector[]): void {
    const { slotsPerFeature } = this.#spec.device;
    this.#rowWeights = vectors.map((vector) => rowWeights(this.#block, slotsPerFeature, vector));
  }

  /**
   * Goes through a round, and to the margins after it.
   * @param round counted from the first of the model.
   * @param into one a tree: gets what these rows add, at leaves alone.
   * @param vectors those that were given to `weigh`.
   */
  replay(
    round: number,
    trees: readonly BinnedTree[],
    into: readonly ReplayedTree[],
    vectors: readonly CheckVector[],
    picked?: PickedHistogram,
  ): void {
    const block = this.#block;
    const walks = trees.map((tree, output) => {
      computeGradients(this.#spec.device, this.#tables, block, round, output);
      const { leaves, searchable } = this.#leavesOf(tree);
      const { sums, prints } = into[output]!;
      const limbs = [block.gradients, ...(block.low ? [block.low.gradients] : [])];
      limbs.forEach((gradients, limb) => {
        if (picked?.output === output) addPicked(block, gradients, leaves, searchable, picked, limb);
        addSums(gradients, leaves, searchable, sums[limb]!);
        vectors.forEach((vector, i) =>
          addPrints(gradients, leaves, searchable, this.#rowWeights[i]!, vector, prints[limb]![i]!),
        );
      });
      return { tree, leaves, searchable };
    });
    walks.forEach((walk, output) => this.#addToMargins(output, walk));
  }

  /** What metrics read of these rows: labels and weights as the data has them, margins as they are now. */
  metricBlock(): MetricBlock {
    const { rows, margins, low } = this.#block;
    const known = low?.margins ? Int32Array.from([...margins, ...low.margins]) : margins;
    return { rows, margins: known, labels: this.#labels, weights: this.#weights };
  }

  /** Goes to the margins after a round, and looks at nothing. */
  follow(trees: readonly BinnedTree[]): void {
    trees.forEach((tree, output) => this.#addToMargins(output, { tree, ...this.#leavesOf(tree) }));
  }

  #leavesOf(tree: BinnedTree): { leaves: Int32Array; searchable: SearchableTree } {
    const searchable = makeSearchable(this.#spec.device, tree);
    const leaves = new Int32Array(this.#block.rows);
    findLeaves(searchable, this.#block, leaves);
    return { leaves, searchable };
  }

  #addToMargins(
    output: number,
    {
      tree,
      leaves,
      searchable,
    }: { readonly tree: BinnedTree; readonly leaves: Int32Array; readonly searchable: SearchableTree },
  ): void {
    const block = this.#block;
    block.softmax.fresh = false;
    const low = block.low?.margins;
    if (low)
      return addWide(block, low, leaves, unitsOf(tree, searchable, this.#spec.device.marginFractionBits));
    const values = Int32Array.from(searchable.nodeOf, (node) => tree.valueFixed[node]!);
    const base = output * block.rows;
    for (let row = 0; row < block.rows; row += 1)
      block.margins[base + row] = addToMargin(block.margins[base + row]!, values[leaves[row]!]!);
  }
}

function unitsOf({ value }: BinnedTree, { nodeOf }: SearchableTree, fractionBits: number): Float64Array {
  return Float64Array.from(nodeOf, (node) => wideLeafUnits(value[node]!, fractionBits));
}

function addWide(
  { margins, rows }: CpuBlock,
  low: Int32Array,
  leaves: Int32Array,
  units: Float64Array,
): void {
  for (let row = 0; row < rows; row += 1) {
    const margin = margins[row]! * 2 ** LIMB_BITS + low[row]!;
    const sum = addToWideMargin(margin, units[leaves[row]!]!);
    margins[row] = highLimb(sum);
    low[row] = sum - margins[row]! * 2 ** LIMB_BITS;
  }
}

function rowWeights(
  { words, wordsPerRow, rows }: CpuBlock,
  slotsPerFeature: readonly number[],
  { modulus, slots }: CheckVector,
): Uint32Array {
  // A table of 256 a feature; features that pad the last word weigh nothing.
  const tables = new Float64Array(wordsPerRow * 4 * 256);
  let first = 0;
  slotsPerFeature.forEach((count, feature) => {
    tables.set(slots.subarray(first, first + count), feature * 256);
    first += count;
  });
  const weights = new Uint32Array(rows);
  for (let row = 0, at = 0; row < rows; row += 1) {
    let sum = 0;
    for (let word = 0, table = 0; word < wordsPerRow; word += 1, at += 1, table += 1024) {
      const four = words[at]!;
      sum +=
        tables[table + (four & 255)]! +
        tables[table + 256 + ((four >>> 8) & 255)]! +
        tables[table + 512 + ((four >>> 16) & 255)]! +
        tables[table + 768 + (four >>> 24)]!;
    }
    weights[row] = reduce(sum, modulus);
  }
  return weights;
}

function addPicked(
  { words, wordsPerRow }: CpuBlock,
  gradients: Int32Array,
  leaves: Int32Array,
  { nodeOf }: SearchableTree,
  { isUnder, firstSlots, cells }: PickedHistogram,
  limb: number,
): void {
  const into = cells[limb]!;
  for (let row = 0; row < leaves.length; row += 1) {
    if (isUnder[nodeOf[leaves[row]!]!] === 0) continue;
    const g = gradients[2 * row]!;
    const h = gradients[2 * row + 1]!;
    for (let word = 0, feature = 0; word < wordsPerRow; word += 1) {
      let four = words[row * wordsPerRow + word]!;
      const end = Math.min(feature + 4, firstSlots.length);
      for (; feature < end; feature += 1, four >>>= 8) {
        const cell = 2 * (firstSlots[feature]! + (four & 255));
        into[cell]! += g;
        into[cell + 1]! += h;
      }
    }
  }
}

function addSums(
  gradients: Int32Array,
  leaves: Int32Array,
  { nodeOf, innerNodes }: SearchableTree,
  into: Float64Array,
): void {
  const sums = new Float64Array(2 * nodeOf.length);
  for (let row = 0; row < leaves.length; row += 1) {
    const leaf = leaves[row]!;
    sums[2 * leaf]! += gradients[2 * row]!;
    sums[2 * leaf + 1]! += gradients[2 * row + 1]!;
  }
  for (let leaf = innerNodes; leaf < nodeOf.length; leaf += 1) {
    into[2 * nodeOf[leaf]!]! += sums[2 * leaf]!;
    into[2 * nodeOf[leaf]! + 1]! += sums[2 * leaf + 1]!;
  }
}

/** The arithmetic of modular.ts, written out: calls in the innermost line take twice as long. */
function addPrints(
  gradients: Int32Array,
  leaves: Int32Array,
  { nodeOf, innerNodes }: SearchableTree,
  rowWeights: Uint32Array,
  { modulus: { prime, inverse }, hessian }: CheckVector,
  into: Float64Array,
): void {
  // Below 2^32 a row, of at most 2^16 rows.
  const sums = new Float64Array(nodeOf.length);
  for (let row = 0; row < leaves.length; row += 1) {
    const value = gradients[2 * row]! + hessian * gradients[2 * row + 1]!;
    const residue = value - (value * inverse + ROUNDING - ROUNDING) * prime;
    const weight = rowWeights[row]!;
    const high = residue * (weight >>> 15);
    const rest = (high - (high * inverse + ROUNDING - ROUNDING) * prime) * 32768 + residue * (weight & 32767);
    sums[leaves[row]!]! += rest - (rest * inverse + ROUNDING - ROUNDING) * prime;
  }
  for (let leaf = innerNodes; leaf < nodeOf.length; leaf += 1) {
    const node = nodeOf[leaf]!;
    into[node] = reduce(into[node]! + reduce(sums[leaf]!, { prime, inverse }), { prime, inverse });
  }
}
