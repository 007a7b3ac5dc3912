// A model that training goes on from, as preparation sees it: names, categories and margins.

import { MISSING_BIN } from '../../../kernels/gbdt/treeDevice.ts';
import { ModelUnsupportedError } from '../../../shared/gbdt/errors/gbdtErrors.ts';
import { baseMargins } from '../../../shared/gbdt/model/baseMargins.ts';
import {
  featureName,
  modelCategories,
  type CategoryName,
  type GbdtModel,
} from '../../../shared/gbdt/model/model.ts';
import type { StartingModel } from './trainingData.ts';

/** @throws ModelUnsupportedError when the model has categories but not their names, by which they are found in the data. */
export function startingModel(model: GbdtModel): StartingModel {
  const names = modelCategories(model);
  const isCategorical = categoricalFeatures(model);
  return {
    model,
    featureNames: model.featureNames,
    isCategorical,
    categories: isCategorical.map((categorical, index) =>
      categorical ? textNames(featureName(model, index), names.get(featureName(model, index))) : undefined,
    ),
    margins: (features, rows, device) => baseMargins(model, features.map(asNumbers), rows, device),
  };
}

/** By what the model says of its features, and by its splits where it does not. */
function categoricalFeatures(model: GbdtModel): boolean[] {
  const isCategorical = Array.from(
    { length: model.numFeature },
    (_, index) => model.featureTypes[index] === 'c',
  );
  for (const { categories, feature } of model.trees) {
    for (const node of categories.keys()) isCategorical[feature[node]!] = true;
  }
  return isCategorical;
}

function textNames(feature: string, names: readonly CategoryName[] | undefined): readonly string[] {
  const texts = names?.filter((name) => typeof name === 'string');
  if (texts && texts.length === names?.length) return texts;
  throw new ModelUnsupportedError(
    `the model to continue from has categories of feature "${feature}" ` +
      (names
        ? 'that are numbers, but text alone is trained as categories'
        : 'but not their names, without which those of the data can not be told apart; train anew'),
    { column: feature },
  );
}

function asNumbers(column: Float32Array | Uint8Array): Float32Array {
  if (column instanceof Float32Array) return column;
  return Float32Array.from(column, (code) => (code === MISSING_BIN ? NaN : code));
}
