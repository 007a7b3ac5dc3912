// How much each feature does in a model, as XGBoost's get_score counts it: by splits (weight), by what they gained and by
// the Hessian that they covered.

import { featureName, type GbdtModel } from './model.ts';

export interface FeatureImportance {
  readonly feature: string;
  /** Splits by the feature. */
  readonly weight: number;
  /** Of a split, on average. */
  readonly gain: number;
  readonly cover: number;
  readonly totalGain: number;
  readonly totalCover: number;
}

/** What is asked of a tree: binned ones and those of models have it. */
interface CountedTree {
  /** -1 for a leaf. */
  readonly left: ArrayLike<number>;
  readonly feature: ArrayLike<number>;
  readonly gain: ArrayLike<number>;
  readonly cover: ArrayLike<number>;
}

/** Adds up tree after tree, for models that are not held as a whole. */
export class ImportanceSums {
  readonly #sums = new Map<number, { weight: number; gain: number; cover: number }>();

  add({ left, feature, gain, cover }: CountedTree): void {
    for (let node = 0; node < left.length; node += 1) {
      if (left[node] === -1) continue;
      const index = feature[node]!;
      let sum = this.#sums.get(index);
      if (!sum) this.#sums.set(index, (sum = { weight: 0, gain: 0, cover: 0 }));
      sum.weight += 1;
      sum.gain += gain[node]!;
      sum.cover += cover[node]!;
    }
  }

  /** Features that split anything, by their average gain. @param nameOf the feature at a position. */
  ranked(nameOf: (index: number) => string): FeatureImportance[] {
    const all = [...this.#sums].map(([index, { weight, gain, cover }]) => ({
      feature: nameOf(index),
      weight,
      gain: gain / weight,
      cover: cover / weight,
      totalGain: gain,
      totalCover: cover,
    }));
    return all.sort((a, b) => b.gain - a.gain);
  }
}

/** Features that split anything in a model, by their average gain. */
export function importanceOf(model: GbdtModel): FeatureImportance[] {
  const sums = new ImportanceSums();
  for (const tree of model.trees) sums.add(tree);
  return sums.ranked((index) => featureName(model, index));
}
