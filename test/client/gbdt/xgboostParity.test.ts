// Training against real XGBoost with the same parameters, on real data.

import { describe, expect, it } from 'vitest';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import type { OracleData } from '../../oracle/xgboost.ts';
import { loadOracle, trainOracle } from '../../oracle/xgboost.ts';
import type { SplitData } from './realData.ts';
import { breastCancer, diamonds, digits, flights, splitRows, wine } from './realData.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { trainLocally } from './trainLocally.ts';

type Params = Readonly<Record<string, string | number | readonly string[]>>;

/** Trains both; returns the largest relative difference of each metric of the validation set over the last rounds. */
async function compare(data: SplitData, params: Params, rounds: number) {
  const sets = { valid: data.valid };
  const theirs = trainOracle(params, data.train, rounds, sets);
  const ours = await trainLocally(data.train, { params, rounds, sets });
  const differences = Object.entries(theirs.history).map(([name, values]) => {
    const last = values.length - 1;
    return { name, theirs: values[last]!, ours: ours.history[name]![last]! };
  });
  return { theirs, ours, differences };
}

function expectClose(
  differences: readonly { name: string; theirs: number; ours: number }[],
  relative: number,
): void {
  expect(differences.length).toBeGreaterThan(0);
  for (const { name, theirs, ours } of differences) {
    expect(Math.abs(ours - theirs), `${name}: ours ${ours}, XGBoost ${theirs}`).toBeLessThanOrEqual(
      relative * Math.abs(theirs) + 1e-12,
    );
  }
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i += 1) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
};

/** Our file in real XGBoost, and real XGBoost's file here: predictions on the validation rows. */
function expectInterchange(
  { ours, theirs }: Awaited<ReturnType<typeof compare>>,
  data: OracleData,
  scale = 1,
): void {
  const rows = data.labels.length;
  const text = writeModel(ours.model);
  const here = new Predictor(readModel(text)).predict(data.columns, rows);
  expect(largestDifference(here, loadOracle(text).predict(data))).toBeLessThanOrEqual(1e-6 * scale);
  const loaded = new Predictor(readModel(theirs.booster.save()));
  expect(
    largestDifference(loaded.predict(data.columns, rows), theirs.booster.predict(data)),
  ).toBeLessThanOrEqual(1e-6 * scale);
}

describe('validation metrics lie within 0.2 % of real XGBoost, and models load both ways', () => {
  it('on flights, binary:logistic', async () => {
    const data = flights();
    const params = {
      objective: 'binary:logistic',
      eval_metric: ['logloss', 'error', 'auc'],
      base_score: 0.5,
    };
    const result = await compare(data, params, 10);
    expectClose(result.differences, 0.002);
    expectInterchange(result, data.valid);
  });

  it('on diamonds, reg:squarederror with categories', async () => {
    const data = diamonds();
    const params = {
      objective: 'reg:squarederror',
      eval_metric: ['rmse', 'mae'],
      base_score: 0.5,
      max_bin: 255,
    };
    const result = await compare(data, params, 20);
    expectClose(result.differences, 0.002);
    // Predictions are prices up to 18,823: the unit is theirs.
    expectInterchange(result, data.valid, 18_823);
  });

  it('on breast cancer, binary:logistic', async () => {
    const data = breastCancer();
    const params = { objective: 'binary:logistic', eval_metric: ['logloss', 'error', 'auc'], max_bin: 255 };
    const result = await compare(data, params, 20);
    expectClose(result.differences, 0.002);
    expectInterchange(result, data.valid);
  });

  it('on digits, multi:softprob of ten classes', async () => {
    const data = digits();
    const params = {
      objective: 'multi:softprob',
      num_class: 10,
      eval_metric: ['mlogloss', 'merror'],
      max_depth: 4,
    };
    const result = await compare(data, params, 10);
    expectClose(result.differences, 0.002);
    expectInterchange(result, data.valid);
  });

  it('on wine, multi:softprob of three classes', async () => {
    const data = wine();
    const params = { objective: 'multi:softprob', num_class: 3, eval_metric: ['mlogloss', 'merror'] };
    const result = await compare(data, params, 20);
    expectClose(result.differences, 0.002);
    expectInterchange(result, data.valid);
  });
});

/** Mixed columns with missing values, a categorical column and weights. */
function mixedData(rows: number): OracleData {
  const random = seededRandom(7);
  const a = new Float32Array(rows);
  const b = new Float32Array(rows);
  const c = new Float32Array(rows);
  const labels = new Float32Array(rows);
  const weights = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    a[row] = Math.floor(random() * 200) / 7;
    b[row] = Math.floor(random() * 10);
    c[row] = Math.floor(random() * 50);
    weights[row] = random() * 3;
    const likely = (a[row]! > 12 ? 0.8 : 0.2) + (b[row]! % 2 === 1 ? 0.1 : -0.1);
    labels[row] = random() < likely ? 1 : 0;
    if (random() < 0.1) a[row] = NaN;
    if (random() < 0.05) b[row] = NaN;
  }
  return { columns: [a, b, c], labels, weights, categorical: [false, true, false] };
}

interface FileTree {
  left_children: number[];
  split_indices: number[];
  default_left: number[];
  categories: number[];
  split_conditions: (number | null)[];
  split_type: number[];
}

const treesOf = (text: string): FileTree[] =>
  (
    JSON.parse(text.replaceAll('NaN', 'null')) as {
      learner: { gradient_booster: { model: { trees: FileTree[] } } };
    }
  ).learner.gradient_booster.model.trees;

describe('with weights, missing values and a categorical column, every tree has the splits of real XGBoost', () => {
  const train = mixedData(3000);
  const cases: Params[] = [
    {},
    { gamma: 3 },
    { alpha: 1, lambda: 0.1 },
    { max_delta_step: 0.3 },
    // Other signs bring ties in float32 gains, which real XGBoost decides by the order of its float sums.
    { monotone_constraints: '(1,0,0)' },
    { monotone_constraints: '(-1,0,1)', max_delta_step: 0.5 },
    { max_cat_to_onehot: 20 },
    { max_cat_threshold: 3 },
    { scale_pos_weight: 3 },
    { scale_pos_weight: 0.3 },
    { min_child_weight: 20, max_depth: 8 },
    { min_child_weight: 0, eta: 1 },
    { base_score: 0.2 },
    { max_bin: 64 },
  ];
  it.each(cases)('%j', async (more) => {
    const params = {
      objective: 'binary:logistic',
      eval_metric: ['logloss', 'error', 'auc'],
      max_depth: 5,
      ...more,
    };
    const theirs = trainOracle(params, train, 4, { train });
    const ours = await trainLocally(train, { params, rounds: 4, sets: { train } });
    const expected = treesOf(theirs.booster.save());
    const found = treesOf(writeModel(ours.model));
    found.forEach((tree, i) => {
      for (const key of ['left_children', 'split_indices', 'default_left', 'categories'] as const) {
        expect(tree[key], `tree ${i}, ${key}`).toEqual(expected[i]![key]);
      }
      tree.split_conditions.forEach((value, node) => {
        if (tree.split_type[node] === 1) return;
        expect(value!, `tree ${i}, node ${node}`).toBeCloseTo(expected[i]!.split_conditions[node]!, 4);
      });
    });
    for (const [name, values] of Object.entries(theirs.history)) {
      values.forEach((value, round) => expect(ours.history[name]![round]!).toBeCloseTo(value, 6));
    }
  });
});

describe('sampling', () => {
  const data = splitRows(mixedData(6000), 8);
  it.each([
    { subsample: 0.5 },
    { colsample_bytree: 0.67 },
    { colsample_bylevel: 0.67 },
    { colsample_bynode: 0.67 },
    { subsample: 0.7, colsample_bytree: 0.67, colsample_bylevel: 0.7, colsample_bynode: 0.7 },
  ])('%j learns about as well as real XGBoost, and the seed changes the model', async (sampling) => {
    const params = {
      objective: 'binary:logistic',
      eval_metric: 'logloss',
      eta: 0.1,
      max_depth: 3,
      ...sampling,
    };
    const rounds = 20;
    const sets = { valid: data.valid };
    const theirs = trainOracle(params, data.train, rounds, sets).history['valid-logloss']!;
    const ours = await trainLocally(data.train, { params, rounds, sets });
    const other = await trainLocally(data.train, { params: { ...params, seed: 1 }, rounds, sets });
    const last = rounds - 1;
    expect(Math.abs(ours.history['valid-logloss']![last]! / theirs[last]! - 1)).toBeLessThan(0.05);
    expect(writeModel(other.model)).not.toBe(writeModel(ours.model));
  });
});

describe('going on from a model', () => {
  const data = splitRows(mixedData(4000), 9);
  const params = { objective: 'binary:logistic', eval_metric: 'logloss', max_depth: 4 };
  const sets = { valid: data.valid };

  it('of its own gives the trees that one run would have given', async () => {
    const whole = await trainLocally(data.train, { params, rounds: 6, sets });
    const first = await trainLocally(data.train, { params, rounds: 3 });
    const saved = readModel(writeModel(first.model));
    const rest = await trainLocally(data.train, { params, rounds: 3, sets, continued: saved });
    expect(rest.model.trees.length).toBe(6);
    const last = (values: readonly number[] | undefined): number => values!.at(-1)!;
    expect(last(rest.history['valid-logloss'])).toBeCloseTo(last(whole.history['valid-logloss']), 5);
  });

  it('of real XGBoost gives the metrics that real XGBoost gets by going on', async () => {
    const start = trainOracle(params, data.train, 3).booster.save();
    const theirs = trainOracle(params, data.train, 3, sets, start).history['valid-logloss']!;
    const ours = await trainLocally(data.train, { params, rounds: 3, sets, continued: readModel(start) });
    ours.history['valid-logloss']!.forEach((value, round) => expect(value).toBeCloseTo(theirs[round]!, 5));
  });
});
