// Which features a tree, a level and a node may split. Drawn by hash, so it depends on seed and place in the model alone.

import type { GbdtParams } from './params.ts';
import { mixBits } from '../../kernels/gbdt/rowHash.ts';

function hash(...words: readonly number[]): number {
  return words.reduce((state, word) => mixBits(state + Math.imul(word, 0x9e3779b1)), 0x51ed270b) >>> 0;
}

/** XGBoost's size of a sample: the share in float32, cut off, at least one. */
function draw(
  features: readonly number[],
  share: number,
  key: (feature: number) => number,
): readonly number[] {
  if (share >= 1) return features;
  const size = Math.max(1, Math.floor(Math.fround(share * features.length)));
  const keyed = features.map((feature) => ({ feature, key: key(feature) }));
  keyed.sort((a, b) => a.key - b.key || a.feature - b.feature);
  return keyed.slice(0, size).map(({ feature }) => feature);
}

export class FeatureSampling {
  readonly #params: GbdtParams;
  readonly #tree: number;
  readonly #ofTree: readonly number[];
  readonly #ofLevel = new Map<number, readonly number[]>();

  /** @param tree index of the tree in the run (round · outputs + output). */
  constructor(params: GbdtParams, tree: number, features: number) {
    this.#params = params;
    this.#tree = tree;
    const all = Array.from({ length: features }, (_, feature) => feature);
    this.#ofTree = draw(all, params.colsample_bytree, (feature) => hash(params.seed, 1, tree, feature));
  }

  /** Features that `node` (its id in the tree) at `depth` may split. */
  forNode(depth: number, node: number): (feature: number) => boolean {
    const { seed, colsample_bylevel: byLevel, colsample_bynode: byNode } = this.#params;
    const tree = this.#tree;
    if (this.#params.colsample_bytree >= 1 && byLevel >= 1 && byNode >= 1) return () => true;
    let ofLevel = this.#ofLevel.get(depth);
    if (ofLevel === undefined) {
      ofLevel = draw(this.#ofTree, byLevel, (feature) => hash(seed, 2, tree, depth, feature));
      this.#ofLevel.set(depth, ofLevel);
    }
    const ofNode = new Set(draw(ofLevel, byNode, (feature) => hash(seed, 3, tree, node, feature)));
    return (feature) => ofNode.has(feature);
  }
}
