// What a model of trees makes of its features, as XGBoost's Booster.get_score tells it.

import { featureName, modelOutputs, type GbdtModel } from './model.ts';

/**
 * weight: splits that ask for the feature. gain: mean loss that these splits take away. cover: mean sum of Hessians of the
 * rows that they split. total_gain and total_cover: sums in place of means.
 */
export const importanceTypes = ['weight', 'gain', 'cover', 'total_gain', 'total_cover'] as const;
/** By what features are compared; the words are XGBoost's. */
export type ImportanceType = (typeof importanceTypes)[number];

/** What is asked of a tree: binned ones and those of models have it. */
interface CountedTree {
  /** -1 for a leaf. */
  readonly left: ArrayLike<number>;
  readonly feature: ArrayLike<number>;
  readonly gain: ArrayLike<number>;
  readonly cover: ArrayLike<number>;
}

/** The importance of one feature, by all types. */
export type FeatureImportance = Readonly<Record<ImportanceType, number>> & {
  /** Its position in the model. */
  readonly index: number;
};

/** Adds up tree after tree, for models that are not held as a whole. Sums are in double precision, XGBoost's in single. */
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

  /** In the model's order; features that no split asks for are left out, as in XGBoost. */
  get features(): FeatureImportance[] {
    const all = [...this.#sums].sort(([a], [b]) => a - b);
    return all.map(([index, { weight, gain, cover }]) => ({
      index,
      weight,
      gain: gain / weight,
      cover: cover / weight,
      total_gain: gain,
      total_cover: cover,
    }));
  }
}

/** By feature, in the model's order. */
export function featureImportance(
  model: GbdtModel,
  type: ImportanceType = 'weight',
): Readonly<Record<string, number>> {
  const sums = new ImportanceSums();
  // Trees of one output each that are one tree in the file count once.
  const step = model.hasVectorLeaves ? modelOutputs(model) : 1;
  model.trees.forEach((tree, t) => {
    if (t % step === 0) sums.add(tree);
  });
  return Object.fromEntries(sums.features.map((one) => [featureName(model, one.index), one[type]]));
}
