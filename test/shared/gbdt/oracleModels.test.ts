// Models of XGBoost 1.7.5, trained here with every objective that it has, predict the same bits; and what is written here is
// read there.

import { describe, expect, it } from 'vitest';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { TreePredictor } from '../../../shared/gbdt/model/treePredictor.ts';
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

describe('options of predictions', () => {
  const labels = classes;
  const params = { objective: 'multi:softprob', num_class: 3, num_parallel_tree: 2, max_depth: 3 };
  const model = readModel(trainOracle(params, { columns, labels }, 4).booster.save());
  const predictor = new Predictor(model);

  it('base margins stand in place of base_score', () => {
    const baseMargin = Float32Array.from({ length: 2 * 3 }, (_, i) => i);
    const plain = predictor.predict(columns, 2, { outputMargin: true });
    const moved = predictor.predict(columns, 2, { outputMargin: true, baseMargin });
    moved.forEach((margin, i) => expect(margin).toBeCloseTo(plain[i]! - 0.5 + i, 5));
    expect(() => predictor.predict(columns, 2, { baseMargin: new Float32Array(2) })).toThrow(
      /baseMargin has 2 numbers, expected 6/,
    );
  });

  it('base margins of a batch are columns', () => {
    const batch = Object.fromEntries(columns.map((column, i) => [`f${i}`, column]));
    const named = { ...model, featureNames: Object.keys(batch) };
    const start = { m0: [1, 2], m1: [0, 0], m2: [0, 3] };
    const rowsOf = (column: Float32Array): Float32Array => column.slice(0, 2);
    const features = Object.fromEntries(
      Object.entries(batch).map(([name, column]) => [name, rowsOf(column)]),
    );
    const call = (baseMarginColumns: readonly string[], more: object = {}): unknown =>
      new TreePredictor({ loadModel: () => named }, { outputMargin: true, baseMarginColumns }).call({
        ...features,
        ...start,
        ...more,
      });
    const baseMargin = Float32Array.of(1, 0, 0, 2, 0, 3);
    const wanted = predictor.predict(columns, 2, { outputMargin: true, baseMargin });
    const found = call(['m0', 'm1', 'm2']) as Record<string, Float32Array>;
    expect([0, 1].flatMap((row) => Object.values(found).map((column) => column[row]))).toEqual([...wanted]);
    expect(() => call(['m0'])).toThrow(/names 1 columns; expected 3/);
    expect(() => call(['m0', 'm1', 'm2'], { m1: [0, null] })).toThrow(/Column "m1", row 1 has no number/);
  });

  it('strict shapes have all axes', () => {
    const leaves = { predLeaf: true } as const;
    expect(predictor.shape(7)).toEqual([7, 3]);
    expect(predictor.shape(7, leaves)).toEqual([7, 24]);
    expect(predictor.shape(7, leaves, true)).toEqual([7, 4, 3, 2]);
    expect(predictor.shape(7, { ...leaves, iterationRange: [1, 3] }, true)).toEqual([7, 2, 3, 2]);
    expect(predictor.predict(columns, 7, { ...leaves, iterationRange: [1, 3] })).toHaveLength(7 * 12);
    const one = new Predictor(readModel(trainOracle({}, { columns, labels }, 2).booster.save()));
    expect(one.shape(7)).toEqual([7]);
    expect(one.shape(7, {}, true)).toEqual([7, 1]);
    expect(one.shape(7, leaves, true)).toEqual([7, 2, 1, 1]);
  });
});
