// What a model wants to see of a row: its features by name, with the codes of categories.

import { modelCategories, type GbdtModel } from './model.ts';

export interface ModelFeature {
  readonly name: string;
  readonly isCategorical: boolean;
  /** Codes by name, where the model keeps them. */
  readonly codes: ReadonlyMap<string, number> | undefined;
}

/** The features in the model's order. A model without names has f0, f1 …, as in XGBoost. */
export function modelFeatures(model: GbdtModel): readonly ModelFeature[] {
  const categories = modelCategories(model);
  return Array.from({ length: model.numFeature }, (_, index) => {
    const name = model.featureNames[index] ?? `f${index}`;
    const names = categories[name];
    return {
      name,
      isCategorical: model.featureTypes[index] === 'c',
      codes: names && new Map(names.map((category, code) => [category, code])),
    };
  });
}
