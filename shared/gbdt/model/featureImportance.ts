// What a model of trees makes of its features, as XGBoost's Booster.get_score tells it.

import { featureName, type GbdtModel } from './model.ts';

/**
 * weight: splits that ask for the feature. gain: mean loss that these splits take away. cover: mean sum of Hessians of the
 * rows that they split. total_gain and total_cover: sums in place of means.
 */
export const importanceTypes = ['weight', 'gain', 'cover', 'total_gain', 'total_cover'] as const;
/** By what features are compared; the words are XGBoost's. */
export type ImportanceType = (typeof importanceTypes)[number];

/**
 * By feature, in the model's order; features that no split asks for are left out, as in XGBoost. Sums are in double precision,
 * XGBoost's in single.
 */
export function featureImportance(
  model: GbdtModel,
  type: ImportanceType = 'weight',
): Readonly<Record<string, number>> {
  const splits = new Float64Array(model.numFeature);
  const sums = new Float64Array(model.numFeature);
  for (const tree of model.trees) {
    const values = type === 'cover' || type === 'total_cover' ? tree.cover : tree.gain;
    for (const [node, left] of tree.left.entries()) {
      if (left === -1) continue;
      const feature = tree.feature[node]!;
      splits[feature]! += 1;
      sums[feature]! += values[node]!;
    }
  }
  const scoreOf = (feature: number): number => {
    if (type === 'weight') return splits[feature]!;
    return type.startsWith('total_') ? sums[feature]! : sums[feature]! / splits[feature]!;
  };
  return Object.fromEntries(
    Array.from(splits.keys())
      .filter((feature) => splits[feature]! > 0)
      .map((feature) => [featureName(model, feature), scoreOf(feature)]),
  );
}
