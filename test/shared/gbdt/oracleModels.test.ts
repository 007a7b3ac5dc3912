// Models of XGBoost 1.7.5, trained here with every objective that it has, predict the same bits; and what is written here is
// read there.

import { describe, expect, it } from 'vitest';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { writeModel, writeModelUbjson } from '../../../shared/gbdt/model/writeModel.ts';
import { loadOracle, trainOracle, type OracleData } from '../../oracle/xgboost.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const random = seededRandom(13);
const rows = 500;
const columns = Array.from({ length: 4 }, () =>
  Float32Array.from({ length: rows }, () => (random() < 0.1 ? NaN : random() * 20 - 10)),
);
const score = Array.from({ length: rows }, (_, row) => (columns[0]![row] || 0) + (columns[1]![row] || 0) / 3);
const noise = score.map(() => random());
const numbers = score.map((value, row) => value / 4 + noise[row]!);
const positive = score.map((value, row) => Math.exp(value / 10) + noise[row]!);
const binary = score.map((value, row) => (value + 6 * noise[row]! > 3 ? 1 : 0));
const counts = positive.map(Math.floor);
const classes = score.map((value) => (value < -3 ? 0 : value < 3 ? 1 : 2));

const cases: readonly (readonly [string, Readonly<Record<string, string | number>>, readonly number[]])[] = [
  ['squarederror', { objective: 'reg:squarederror', base_score: 0.3 }, numbers],
  ['squaredlogerror', { objective: 'reg:squaredlogerror' }, positive],
  ['logistic of numbers', { objective: 'reg:logistic', base_score: 0.123 }, noise],
  ['pseudohubererror', { objective: 'reg:pseudohubererror' }, numbers],
  ['absoluteerror', { objective: 'reg:absoluteerror' }, numbers],
  ['gamma', { objective: 'reg:gamma', base_score: 1.7 }, positive],
  ['tweedie', { objective: 'reg:tweedie', base_score: 0.77 }, counts],
  ['poisson', { objective: 'count:poisson', base_score: 3.3 }, counts],
  ['binary:logistic', { objective: 'binary:logistic', base_score: 0.07 }, binary],
  ['logitraw', { objective: 'binary:logitraw', base_score: 0.4 }, binary],
  ['hinge', { objective: 'binary:hinge' }, binary],
  ['softmax', { objective: 'multi:softmax', num_class: 3 }, classes],
  ['softprob', { objective: 'multi:softprob', num_class: 3 }, classes],
  ['cox', { objective: 'survival:cox' }, positive],
  ['rank:pairwise', { objective: 'rank:pairwise' }, classes],
  ['a forest', { objective: 'multi:softprob', num_class: 3, num_parallel_tree: 3, subsample: 0.6 }, classes],
  ['dart', { objective: 'binary:logistic', booster: 'dart', rate_drop: 0.5, one_drop: 1 }, binary],
  [
    'dart of classes',
    { objective: 'multi:softprob', num_class: 3, booster: 'dart', rate_drop: 0.4 },
    classes,
  ],
  ['a linear model', { objective: 'binary:logistic', booster: 'gblinear', base_score: 0.2 }, binary],
  ['a linear model of classes', { objective: 'multi:softprob', num_class: 3, booster: 'gblinear' }, classes],
];

describe.each(cases)('%s', (_, params, labels) => {
  const data: OracleData = { columns, labels };
  const { booster } = trainOracle({ max_depth: 4, seed: 5, ...params }, data, 9);
  const predicted = booster.predict(data);
  const margins = booster.predict(data, { outputMargin: true });

  it('predicts the same bits from JSON and from UBJSON', () => {
    for (const file of [booster.save(), booster.saveUbjson()]) {
      const predictor = new Predictor(readModel(file));
      expect(predictor.predict(columns, rows)).toEqual(predicted);
      expect(predictor.predict(columns, rows, { outputMargin: true })).toEqual(margins);
    }
  });

  it('is read by XGBoost as it is written here', () => {
    const model = readModel(booster.save());
    for (const file of [writeModel(model), writeModelUbjson(model)]) {
      expect(loadOracle(file).predict(data, { outputMargin: true })).toEqual(margins);
      expect(loadOracle(file).predict(data)).toEqual(predicted);
    }
  });
});
