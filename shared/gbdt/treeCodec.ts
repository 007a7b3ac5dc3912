// Trees as plain JSON values, for the control conversation and the record. Decoding trusts nothing: a tree that passes
// can be walked without bounds checks and ends.

import { z } from 'zod';
import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import { MAX_VALUE_BINS } from '../../kernels/gbdt/treeDevice.ts';
import { TreeFormatError } from './errors/gbdtErrors.ts';

/** Nodes of the largest tree that is accepted. */
const MAX_TREE_NODES = 1 << 20;
const CATEGORY_WORDS = 8;

/** One check for all of a column: a schema for each number takes ten times as long as reading it. */
const column = (what: string, fits: (value: number) => boolean) =>
  z.custom<number[]>(
    (values) =>
      Array.isArray(values) &&
      values.length <= MAX_TREE_NODES &&
      values.every((value) => typeof value === 'number' && fits(value)),
    `expected at most ${MAX_TREE_NODES} ${what}`,
  );
const within = (lowest: number, highest: number) =>
  column(
    `whole numbers from ${lowest} to ${highest}`,
    (value) => Number.isInteger(value) && value >= lowest && value <= highest,
  );
const int32 = (): z.ZodType<number[]> => within(-(2 ** 31), 2 ** 31 - 1);
const finite = (): z.ZodType<number[]> => column('finite numbers', Number.isFinite);

// One array a field, in node order. Right children follow left ones, so `right` and `parent` need not be sent.
const encodedTree = z.strictObject({
  /** Left child, or -1 for a leaf. */
  left: int32(),
  feature: int32(),
  bin: within(-1, MAX_VALUE_BINS),
  /** 1: missing goes left; 2: categorical; 3: both. */
  flags: within(0, 3),
  value: finite(),
  fixed: int32(),
  gain: finite(),
  cover: finite(),
  /** Eight words for each categorical node, in node order. */
  categories: within(0, 0xffffffff),
});

export type EncodedTree = z.infer<typeof encodedTree>;

/** A JSON-able copy of a tree. */
export function encodeTree(tree: BinnedTree): EncodedTree {
  const categories: number[] = [];
  tree.isCategorical.forEach((categorical, node) => {
    if (categorical === 0) return;
    categories.push(...tree.categories.subarray(node * CATEGORY_WORDS, (node + 1) * CATEGORY_WORDS));
  });
  return {
    left: Array.from(tree.left),
    feature: Array.from(tree.feature),
    bin: Array.from(tree.splitBin),
    flags: Array.from(tree.missingGoesLeft, (left, node) => left | (tree.isCategorical[node]! << 1)),
    value: Array.from(tree.value),
    fixed: Array.from(tree.valueFixed),
    gain: Array.from(tree.gain),
    cover: Array.from(tree.cover),
    categories,
  };
}

/**
 * The tree of an encoded value.
 * @param features number of features of the run, where known, to check against.
 * @throws TreeFormatError naming the field or node.
 */
export function decodeTree(value: unknown, features?: number): BinnedTree {
  const parsed = encodedTree.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a tree'}`);
  }
  const encoded = parsed.data;
  const nodes = encoded.left.length;
  if (nodes === 0) throw malformed('it has no nodes');
  for (const field of ['feature', 'bin', 'flags', 'value', 'fixed', 'gain', 'cover'] as const) {
    if (encoded[field].length !== nodes) {
      throw malformed(`${field} has ${encoded[field].length} entries, left has ${nodes}`);
    }
  }
  const { right, parent } = linkNodes(encoded);
  checkFeatures(encoded, features);
  const isCategorical = Uint8Array.from(encoded.flags, (flags) => flags >> 1);
  return {
    left: Int32Array.from(encoded.left),
    right,
    parent,
    feature: Int32Array.from(encoded.feature),
    splitBin: Int32Array.from(encoded.bin),
    categories: spreadCategories(encoded.categories, isCategorical),
    isCategorical,
    missingGoesLeft: Uint8Array.from(encoded.flags, (flags) => flags & 1),
    value: Float32Array.from(encoded.value),
    valueFixed: Int32Array.from(encoded.fixed),
    gain: Float32Array.from(encoded.gain),
    cover: Float32Array.from(encoded.cover),
  };
}

function malformed(what: string): TreeFormatError {
  return new TreeFormatError(`malformed tree: ${what}`);
}

/** Children follow their parents and every node but the root has one parent, hence no loops. */
function linkNodes({ left }: EncodedTree): Pick<BinnedTree, 'right' | 'parent'> {
  const right = new Int32Array(left.length).fill(-1);
  const parent = new Int32Array(left.length).fill(-1);
  left.forEach((child, node) => {
    if (child === -1) return;
    if (child <= node || child + 1 >= left.length) throw malformed(`node ${node} has left child ${child}`);
    if (parent[child] !== -1 || parent[child + 1] !== -1)
      throw malformed(`nodes ${child} and ${child + 1} have two parents`);
    right[node] = child + 1;
    parent[child] = node;
    parent[child + 1] = node;
  });
  const orphan = parent.indexOf(-1, 1);
  if (orphan !== -1) throw malformed(`node ${orphan} has no parent`);
  return { right, parent };
}

function checkFeatures({ left, feature }: EncodedTree, features: number | undefined): void {
  left.forEach((child, node) => {
    const split = feature[node]!;
    if (child !== -1 && (split < 0 || (features !== undefined && split >= features))) {
      throw malformed(
        `node ${node} splits feature ${split}${features === undefined ? '' : ` of ${features}`}`,
      );
    }
  });
}

function spreadCategories(words: readonly number[], isCategorical: Uint8Array): Uint32Array {
  const spread = new Uint32Array(isCategorical.length * CATEGORY_WORDS);
  let next = 0;
  isCategorical.forEach((categorical, node) => {
    if (categorical === 0) return;
    for (let w = 0; w < CATEGORY_WORDS; w += 1) spread[node * CATEGORY_WORDS + w] = words[next + w] ?? 0;
    next += CATEGORY_WORDS;
  });
  if (next !== words.length) throw malformed(`categories has ${words.length} words, expected ${next}`);
  return spread;
}
