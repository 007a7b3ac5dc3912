// What stands for the trees of a round in simulations: a tree of one leaf that holds the round's content, 16 hexadecimal
// digits.

import { createHash } from 'node:crypto';
import { decodeTree, type EncodedTree } from '../../shared/gbdt/treeCodec.ts';
import { treeBytes } from '../../shared/gbdt/treeBytes.ts';

export function treeOf(content: string): EncodedTree {
  const word = (from: number): number => Number.parseInt(content.slice(from, from + 8), 16) | 0;
  return {
    left: [-1],
    feature: [word(0)],
    bin: [0],
    flags: [0],
    value: [0],
    fixed: [word(8)],
    gain: [0],
    cover: [0],
    categories: [],
  };
}

export function contentOf({ feature, fixed }: EncodedTree): string {
  const digits = (word: number | undefined): string => ((word ?? 0) >>> 0).toString(16).padStart(8, '0');
  return digits(feature[0]) + digits(fixed[0]);
}

/** As members tell it of the trees of a round. */
export function treesSha256(trees: readonly unknown[]): string {
  const bytes = treeBytes(trees.map((tree) => decodeTree(tree)));
  return createHash('sha256').update(bytes).digest('hex');
}
