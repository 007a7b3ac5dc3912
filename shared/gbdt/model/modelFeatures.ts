// What a model wants to see of a row: its features by name, with the codes of categories.

import { featureName, modelCategories, type CategoryName, type GbdtModel } from './model.ts';

export interface ModelFeature {
  readonly name: string;
  readonly isCategorical: boolean;
  /** Codes by name, where the model keeps them. */
  readonly codes: ReadonlyMap<CategoryName, number> | undefined;
  /** Whether categories are numbers in the data, and not text. */
  readonly hasNumberNames: boolean;
}

/** The features in the model's order. A model without names has f0, f1 …, as in XGBoost. */
export function modelFeatures(model: GbdtModel): readonly ModelFeature[] {
  const categories = modelCategories(model);
  return Array.from({ length: model.numFeature }, (_, index) => {
    const name = featureName(model, index);
    const names = categories.get(name);
    return {
      name,
      isCategorical: model.featureTypes[index] === 'c',
      codes: names && new Map(names.map((category, code) => [category, code])),
      hasNumberNames: typeof names?.[0] === 'number',
    };
  });
}
