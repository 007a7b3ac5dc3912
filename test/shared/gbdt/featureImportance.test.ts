import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { featureImportance, importanceTypes } from '../../../shared/gbdt/model/featureImportance.ts';
import type { GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';

const file = join(import.meta.dirname, '../../data/xgboostImportance.json');
const known = JSON.parse(readFileSync(file, 'utf8')) as Record<
  string,
  { readonly importance: Record<string, Record<string, number>>; readonly model: string }
>;

describe.each(Object.keys(known))('Importance of features in the model %s', (name) => {
  const { importance, model } = known[name]!;

  it.each(importanceTypes)("by %s is XGBoost's, up to single precision", (type) => {
    const scores = featureImportance(readModel(model), type);
    expect(Object.keys(scores)).toEqual(Object.keys(importance[type]!));
    for (const [feature, score] of Object.entries(importance[type]!))
      expect(Math.abs(scores[feature]! / score - 1)).toBeLessThan(1e-6);
  });

  it('counts splits where nothing else is asked for', () => {
    expect(featureImportance(readModel(model))).toEqual(importance['weight']);
  });
});

it('A feature that no split asks for is left out, and one without a name is called by its place', () => {
  const model = readModel(known['binary-logistic']!.model);
  const [tree] = model.trees as [GbdtModel['trees'][number]];
  const stump = { ...tree, feature: tree.feature.map(() => 3) };
  expect(Object.keys(featureImportance({ ...model, trees: [stump], featureNames: [] }))).toEqual(['f3']);
  expect(featureImportance({ ...model, trees: [] })).toEqual({});
});
