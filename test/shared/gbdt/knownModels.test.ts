// Models of XGBoost 3.4.1 predict here what they predict there, to the last bit.

import { describe, expect, it } from 'vitest';
import { featureImportance, importanceTypes } from '../../../shared/gbdt/model/featureImportance.ts';
import { compileForest } from '../../../shared/gbdt/model/flatForest.ts';
import { ForestWalk } from '../../../shared/gbdt/model/forestWalk.ts';
import { modelBaseMargins, modelOutputs, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { Predictor, type PredictOptions } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { TreePredictor } from '../../../shared/gbdt/model/treePredictor.ts';
import { writeModel, writeModelUbjson } from '../../../shared/gbdt/model/writeModel.ts';
import { knownModels, type KnownModel } from '../../setup/knownModels.ts';

const known = knownModels();

/** [row][output], by the columns that the model names. */
function predict(model: GbdtModel, { batch }: KnownModel, options: PredictOptions = {}): Float32Array {
  const columns = Object.values(new TreePredictor({ loadModel: () => model }, options).call(batch));
  const rows = columns[0]!.length;
  return Float32Array.from({ length: rows * columns.length }, (_, i) =>
    Number(columns[i % columns.length]![Math.floor(i / columns.length)]),
  );
}

/** Margins by plain code, where predictions of trees take WebAssembly. */
function plainMargins(model: GbdtModel, { batch }: KnownModel): Float32Array {
  const columns = Object.values(batch).map((values) =>
    Float32Array.from(values, (v) => (v as number) ?? NaN),
  );
  const rows = columns[0]!.length;
  const outputs = modelOutputs(model);
  const base = modelBaseMargins(model);
  const margins = Float32Array.from({ length: rows * outputs }, (_, i) => base[i % outputs]!);
  const forest = compileForest(model.trees, model.numFeature);
  const end = Math.min(
    model.trees.length,
    new Predictor(model).defaultRange()[1] * outputs * model.parallelTrees,
  );
  new ForestWalk(forest).forEachLeaf(columns, rows, 0, end, (leaves, t, start, count) => {
    for (let i = 0; i < count; i += 1)
      margins[(start + i) * outputs + model.treeOutputs[t]!]! += forest.leafValues[leaves[i]!]!;
  });
  return margins;
}

it('are of all kinds', () => {
  expect(known.size).toBe(32);
});

describe.each([...known])('the model %s', (_name, model) => {
  const fromText = readModel(model.json);
  const files: readonly (readonly [string, GbdtModel])[] = [
    ['JSON', fromText],
    ['UBJSON', readModel(model.ubjson)],
    ['JSON written here', readModel(writeModel(fromText))],
    ['UBJSON written here', readModel(writeModelUbjson(fromText))],
  ];

  it.each(files)('predicts bit for bit what XGBoost does: %s', (_, read) => {
    expect(predict(read, model)).toEqual(model.predict);
    expect(predict(read, model, { outputMargin: true })).toEqual(model.margin);
  });

  it('gives the leaves that XGBoost gives', () => {
    for (const [kind, read] of files.slice(0, 2)) {
      if (model.leaf) expect(predict(read, model, { predLeaf: true }), kind).toEqual(model.leaf);
      else expect(() => predict(read, model, { predLeaf: true })).toThrow(/predLeaf is for trees/);
    }
  });

  it('has the importance that XGBoost tells of', () => {
    for (const type of importanceTypes) {
      const told = model.importance?.[type];
      if (!told) continue;
      const here = featureImportance(fromText, type);
      expect(Object.keys(here).sort()).toEqual(Object.keys(told).sort());
      for (const [feature, value] of Object.entries(told))
        expect(here[feature]! / value, `${type} of ${feature}`).toBeCloseTo(1, 5);
    }
  });

  // Of linear models there is no other code, and categories have names in the batch.
  if (fromText.linear || fromText.categories) return;
  it('has the same bits in plain code', () => {
    expect(plainMargins(fromText, model)).toEqual(model.margin);
  });
});
