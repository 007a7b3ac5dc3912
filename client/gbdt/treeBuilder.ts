// Collects the nodes of a growing tree and packs them into a BinnedTree.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { SplitCandidate } from '../../kernels/gbdt/splitCandidate.ts';
import { toMarginUnits } from '../../shared/gbdt/model/baseMargins.ts';

interface GrowingNode {
  readonly parent: number;
  readonly value: number;
  readonly cover: number;
  left: number;
  split: SplitCandidate | undefined;
}

export class TreeBuilder {
  readonly #nodes: GrowingNode[] = [];

  /**
   * @param value leaf value, learning rate applied, a float32.
   * @returns the node's id.
   */
  add(parent: number, value: number, cover: number): number {
    this.#nodes.push({ parent, value, cover, left: -1, split: undefined });
    return this.#nodes.length - 1;
  }

  /** Makes `node` an inner node; its children were added one after the other. */
  split(node: number, split: SplitCandidate, left: number): void {
    const parent = this.#nodes[node]!;
    parent.left = left;
    parent.split = split;
  }

  build(marginFractionBits: number): BinnedTree {
    const nodes = this.#nodes;
    const count = nodes.length;
    const tree = {
      left: new Int32Array(count),
      right: new Int32Array(count),
      parent: new Int32Array(count),
      feature: new Int32Array(count),
      splitBin: new Int32Array(count),
      categories: new Uint32Array(count * 8),
      isCategorical: new Uint8Array(count),
      missingGoesLeft: new Uint8Array(count),
      value: new Float32Array(count),
      valueFixed: new Int32Array(count),
      gain: new Float32Array(count),
      cover: new Float32Array(count),
    };
    nodes.forEach(({ left, parent, value, cover, split }, node) => {
      tree.left[node] = left;
      tree.right[node] = left === -1 ? -1 : left + 1;
      tree.parent[node] = parent;
      tree.value[node] = value;
      tree.valueFixed[node] = left === -1 ? toMarginUnits(value, marginFractionBits) : 0;
      tree.cover[node] = cover;
      if (!split) return;
      tree.feature[node] = split.feature;
      tree.splitBin[node] = split.splitBin;
      tree.missingGoesLeft[node] = split.missingGoesLeft ? 1 : 0;
      tree.gain[node] = split.gain;
      if (!split.categories) return;
      tree.isCategorical[node] = 1;
      tree.categories.set(split.categories, node * 8);
    });
    return tree;
  }
}
