// A model that training goes on from, as preparation sees it: names, categories and margins.

import { MISSING_BIN } from '../../kernels/gbdt/treeDevice.ts';
import { baseMargins } from '../../shared/gbdt/model/baseMargins.ts';
import { modelCategories, type GbdtModel } from '../../shared/gbdt/model/model.ts';
import type { StartingModel } from './prepare/trainingData.ts';

export function startingModel(model: GbdtModel): StartingModel {
  const categories = modelCategories(model);
  return {
    model,
    featureNames: model.featureNames,
    categories: model.featureNames.map((name) => categories[name]),
    margins: (features, rows, fractionBits) =>
      baseMargins(model, features.map(asNumbers), rows, fractionBits),
  };
}

function asNumbers(column: Float32Array | Uint8Array): Float32Array {
  if (column instanceof Float32Array) return column;
  return Float32Array.from(column, (code) => (code === MISSING_BIN ? NaN : code));
}
