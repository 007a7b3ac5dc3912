// Collects the nodes of a growing tree and packs them into a BinnedTree.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import { toMarginUnits } from '../../shared/gbdt/marginUnits.ts';
import type { SplitCandidate } from '../../shared/gbdt/split.ts';

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
    const categories = new Uint32Array(nodes.length * 8);
    nodes.forEach(({ split }, node) => {
      if (split?.categories !== undefined) categories.set(split.categories, node * 8);
    });
    const ints = (of: (node: GrowingNode) => number): Int32Array => Int32Array.from(nodes, of);
    return {
      left: ints(({ left }) => left),
      right: ints(({ left }) => (left === -1 ? -1 : left + 1)),
      parent: ints(({ parent }) => parent),
      feature: ints(({ split }) => split?.feature ?? 0),
      splitBin: ints(({ split }) => split?.splitBin ?? 0),
      categories,
      isCategorical: Uint8Array.from(nodes, ({ split }) => (split?.categories === undefined ? 0 : 1)),
      missingGoesLeft: Uint8Array.from(nodes, ({ split }) => (split?.missingGoesLeft === true ? 1 : 0)),
      value: Float32Array.from(nodes, ({ value }) => value),
      valueFixed: ints(({ value, left }) => (left === -1 ? toMarginUnits(value, marginFractionBits) : 0)),
      gain: Float32Array.from(nodes, ({ split }) => split?.gain ?? 0),
      cover: Float32Array.from(nodes, ({ cover }) => cover),
    };
  }
}
