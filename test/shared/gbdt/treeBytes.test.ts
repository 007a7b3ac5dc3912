import { describe, expect, it } from 'vitest';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { treeBytes } from '../../../shared/gbdt/treeBytes.ts';
import { decodeTree, encodeTree, type EncodedTree } from '../../../shared/gbdt/treeCodec.ts';

const encoded: EncodedTree = {
  left: [1, -1, 3, -1, -1],
  feature: [2, 0, 1, 0, 0],
  bin: [4, 0, -1, 0, 0],
  flags: [1, 0, 2, 0, 0],
  value: [0, 0.5, 0.25, -1.5, 2],
  fixed: [0, 128, 0, -384, 512],
  gain: [3.5, 0, 1, 0, 0],
  cover: [9, 4, 5, 2, 3],
  categories: [1, 0, 0, 0, 0, 0, 0, 0x8000_0000],
};

const changes: readonly (readonly [string, Partial<EncodedTree>])[] = [
  ['another shape', { left: [1, 3, -1, -1, -1], categories: [], flags: [1, 0, 0, 0, 0] }],
  ['another feature', { feature: [1, 0, 1, 0, 0] }],
  ['another bin', { bin: [5, 0, -1, 0, 0] }],
  ['another way for missing rows', { flags: [0, 0, 2, 0, 0] }],
  ['another value', { value: [0, 0.5, 0.25, -1.5, 2.5] }],
  ['other units of a leaf', { fixed: [0, 128, 0, -384, 513] }],
  ['another gain', { gain: [3.25, 0, 1, 0, 0] }],
  ['another cover', { cover: [9, 4, 5, 3, 3] }],
  ['other categories', { categories: [1, 0, 0, 0, 0, 0, 0, 0x4000_0000] }],
];

const bytesOf = (...trees: BinnedTree[]): string => Buffer.from(treeBytes(trees)).toString('hex');

describe('the bytes of trees', () => {
  const tree = decodeTree(encoded);

  it('are the same after a way through JSON, -0 included', () => {
    const value = Float32Array.from(tree.value);
    value[0] = -0;
    const grown = { ...tree, value };
    const travelled = decodeTree(JSON.parse(JSON.stringify(encodeTree(grown))));
    expect(bytesOf(travelled)).toBe(bytesOf(grown));
  });

  it('have a known length and begin with the number of trees', () => {
    expect(treeBytes([tree, tree])).toHaveLength(4 * (1 + 2 * (1 + 5 * 8 + 8)));
    expect([...treeBytes([])]).toEqual([0, 0, 0, 0]);
  });

  it.each(changes)('are others for %s', (_, change) => {
    expect(bytesOf(decodeTree({ ...encoded, ...change }))).not.toBe(bytesOf(tree));
  });

  it('tell two trees from their parts', () => {
    const leaf = decodeTree({ ...encodeTree(tree), ...leaves() });
    expect(bytesOf(tree, leaf)).not.toBe(bytesOf(leaf, tree));
    expect(bytesOf(leaf, leaf)).not.toBe(bytesOf(leaf));
  });
});

function leaves(): EncodedTree {
  const one = [0];
  return {
    left: [-1],
    feature: one,
    bin: one,
    flags: one,
    value: one,
    fixed: one,
    gain: one,
    cover: one,
    categories: [],
  };
}
