import { describe, expect, it } from 'vitest';
import type { TabgradError } from '../../../kernels/errors.ts';
import { decodeTree, encodeTree } from '../../../shared/gbdt/treeCodec.ts';
import type { GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { categoriesAttribute, modelCategories } from '../../../shared/gbdt/model/model.ts';
import { checkContinues } from '../../../shared/gbdt/model/buildModel.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { writeFloat, writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { wine } from '../../client/gbdt/realData.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
import { trainLocally } from '../../client/gbdt/trainLocally.ts';
import type { OracleData } from '../../oracle/xgboost.ts';
import { loadOracle, trainOracle } from '../../oracle/xgboost.ts';

function categoricalData(rows: number): OracleData {
  const random = seededRandom(1);
  const code = Float32Array.from({ length: rows }, () => Math.floor(random() * 40));
  const value = Float32Array.from({ length: rows }, () => (random() < 0.1 ? NaN : random()));
  const labels = code.map((one, row) =>
    random() < (one % 3 === 0 ? 0.8 : 0.3) + (value[row]! > 0.5 ? 0.1 : 0) ? 1 : 0,
  );
  return { columns: [code, value], labels, categorical: [true, false] };
}

const data = categoricalData(2000);
const params = { objective: 'binary:logistic', max_depth: 4 };
const trained = trainLocally(data, { params, rounds: 3 });

describe('a model file', () => {
  it('is read back to the same model and the same text', async () => {
    const { model } = await trained;
    const text = writeModel(model);
    expect(writeModel(readModel(text))).toBe(text);
  });

  it('keeps best round, score, names and categories where real XGBoost keeps attributes', async () => {
    const { model } = await trained;
    const categories = { carrier: ['A "quoted" one', 'B\\b', 'Zürich ✈', 'line\nbreak'] };
    const attributes = { best_iteration: '1', best_score: '0.5', ...categoriesAttribute(categories) };
    const named: GbdtModel = { ...model, featureNames: ['carrier', 'a b'], attributes };
    const throughXgboost = readModel(loadOracle(writeModel(named)).save());
    expect(modelCategories(throughXgboost)).toEqual(new Map(Object.entries(categories)));
    expect(throughXgboost.attributes).toEqual(attributes);
    expect(throughXgboost.featureNames).toEqual(['carrier', 'a b']);
    expect(throughXgboost.featureTypes).toEqual(['c', 'float']);
  });

  it('predicts alike here and in real XGBoost for unknown, negative, fractional, infinite and missing values', async () => {
    const { model } = await trained;
    const odd = [
      0,
      1,
      2.7,
      3,
      31,
      32,
      39,
      40,
      64,
      255,
      1000,
      16_777_216,
      -1,
      NaN,
      Infinity,
      -Infinity,
      1e-40,
    ];
    const columns = [
      Float32Array.from(
        odd.filter((value) => Math.abs(value) !== Infinity).flatMap((value) => odd.map(() => value)),
      ),
      Float32Array.from(
        odd
          .filter((value) => Math.abs(value) !== Infinity)
          .flatMap(() => odd.map((value) => (Math.abs(value) === Infinity ? 7 : value))),
      ),
    ];
    const rows = columns[0]!.length;
    const theirs = loadOracle(writeModel(model));
    for (const outputMargin of [true, false]) {
      const here = new Predictor(model).predict(columns, rows, { outputMargin });
      const there = theirs.predict({ columns, labels: [], categorical: [true, false] }, { outputMargin });
      here.forEach((value, i) =>
        expect(value, `row ${i}: ${columns[0]![i]}, ${columns[1]![i]}`).toBeCloseTo(there[i]!, 6),
      );
    }
  });

  it('uses rounds up to the best one by default, and any range on request', async () => {
    const { model } = await trained;
    const best = new Predictor({ ...model, attributes: { best_iteration: '1', best_score: '0.5' } });
    const two = best.predict(data.columns, 2000);
    expect(two).toEqual(new Predictor(model).predict(data.columns, 2000, { iterationRange: [0, 2] }));
    expect(two).not.toEqual(new Predictor(model).predict(data.columns, 2000));
    // As XGBoost 1.7 writes it without early stopping, and leaves it when training goes on.
    const all = new Predictor(model).predict(data.columns, 2000);
    expect(
      new Predictor({ ...model, attributes: { best_iteration: '1' } }).predict(data.columns, 2000),
    ).toEqual(all);
    expect(best.predict(data.columns, 2000, { iterationRange: [0, 0] })).toEqual(all);
  });

  it.each([
    [1, 9],
    [2, 2],
    [-1, 2],
    [0.5, 2],
    [3, 4],
  ])('refuses rounds %s to %s of three', async (first, end) => {
    const predictor = new Predictor((await trained).model);
    expect(() => predictor.predict(data.columns, 3, { iterationRange: [first, end] })).toThrow(
      /iterationRange is \[.*\], expected whole numbers 0 <= first < end <= 3/,
    );
  });

  it.each([0, 1, 511, 512, 513])('predicts %i rows', async (rows) => {
    const { model } = await trained;
    const some = new Predictor(model).predict(data.columns, rows);
    expect(some).toEqual(new Predictor(model).predict(data.columns, 2000).slice(0, rows));
  });

  it('of real XGBoost with several classes predicts alike, row by class', () => {
    const { train, valid } = wine();
    const booster = trainOracle({ objective: 'multi:softprob', num_class: 3 }, train, 5).booster;
    const here = new Predictor(readModel(booster.save())).predict(valid.columns, valid.labels.length);
    booster.predict(valid).forEach((value, i) => expect(here[i]!).toBeCloseTo(value, 6));
  });

  it('refuses to be continued by a run that differs, saying how', async () => {
    const { model } = await trained;
    const same = resolveParams({ objective: 'binary:logistic' });
    expect(() => checkContinues(model, same, ['f0', 'f1'])).not.toThrow();
    expect(() => checkContinues(model, resolveParams({}), ['f0', 'f1'])).toThrow(/objective binary:logistic/);
    expect(() => checkContinues(model, same, ['f0'])).toThrow(/num_feature 2, the run has 1/);
    expect(() => checkContinues(model, same, ['f0', 'x'])).toThrow(/feature 1 named "f1"/);
  });
});

describe('a damaged model file', () => {
  function failure(text: string): TabgradError {
    try {
      readModel(text);
    } catch (error) {
      return error as TabgradError;
    }
    throw new Error('the file was accepted');
  }

  it.each([
    ['"left_children":[1', '"left_children":[0', 'left_children'],
    ['"left_children":[1', '"left_children":[99999', 'left_children'],
    ['"right_children":[2', '"right_children":[1', 'left_children'],
    ['"split_indices":[', '"split_indices":[7,', 'split_indices'],
    ['"split_conditions":[', '"split_conditions":["x",', 'split_conditions'],
    ['"default_left":[', '"default_left":[2,', 'default_left'],
    ['"categories_sizes":[', '"categories_sizes":[9999,', 'categories_sizes'],
    ['"tree_info":[0', '"tree_info":[1', 'tree_info'],
    ['"base_score":"0.5"', '"base_score":"1.5"', 'base_score'],
    ['"base_score":"0.5"', '"base_score":"half"', 'base_score'],
    ['"num_feature":"2","num_target"', '"num_feature":"-2","num_target"', 'num_feature'],
    ['"learner":', '"learned":', 'learner'],
    ['"trees":[', '"tries":[', 'trees'],
  ])('is refused with the name of the field: %s -> %s', async (from, to, field) => {
    const text = writeModel((await trained).model);
    expect(text).toContain(from);
    const error = failure(text.replace(from, to));
    expect(error.code).toBe('MODEL_MALFORMED');
    expect(error.place.field).toContain(field);
  });

  it('that is cut off anywhere is refused as a model file', async () => {
    const text = writeModel((await trained).model);
    for (let length = 0; length < text.length; length += 997) {
      expect(failure(text.slice(0, length)).code).toBe('MODEL_MALFORMED');
    }
  });

  it('of another booster or objective is refused as unsupported', async () => {
    const text = writeModel((await trained).model);
    expect(failure(text.replace('"name":"gbtree"', '"name":"gbneural"')).code).toBe('MODEL_UNSUPPORTED');
    expect(failure(text.replace('"name":"binary:logistic"', '"name":"rank:dcg"')).code).toBe(
      'MODEL_UNSUPPORTED',
    );
  });
});

describe('floats in a model file', () => {
  it.each([
    0, -0, 1, 0.5, 0.1, 1e-45, 3.4028234663852886e38, -1.17549435e-38, 8, 16_777_216, 1e21, 123_456_789,
  ])('%s reads back as the same float32, with a point or an exponent', (value) => {
    const single = Math.fround(value);
    const text = writeFloat(single);
    expect(Object.is(Math.fround(Number(text)), single)).toBe(true);
    expect(text).toMatch(/[.E]/);
  });
});

describe('a tree on the wire', () => {
  it('arrives unchanged through JSON', async () => {
    const { rounds } = await trained;
    for (const tree of rounds.flat()) {
      expect(decodeTree(JSON.parse(JSON.stringify(encodeTree(tree))), 2)).toEqual(tree);
    }
  });

  it('that is malformed is refused, never walked', async () => {
    const good = encodeTree((await trained).rounds[0]![0]!);
    const broken: [unknown, RegExp][] = [
      [null, /malformed tree/],
      [{}, /left/],
      [{ ...good, left: [] }, /no nodes/],
      [{ ...good, left: good.left.map((child) => (child === -1 ? -1 : 0)) }, /left child 0/],
      [{ ...good, left: good.left.map(() => -1) }, /no parent/],
      [
        { ...good, left: good.left.map((child, i) => (i === 1 && child !== -1 ? good.left[0]! : child)) },
        /left child|two parents/,
      ],
      [{ ...good, feature: good.feature.slice(1) }, /feature has/],
      [{ ...good, feature: good.feature.map(() => 2) }, /feature 2 of 2/],
      [{ ...good, bin: good.bin.map(() => 300) }, /bin/],
      [{ ...good, value: good.value.map(() => NaN) }, /value/],
      [{ ...good, fixed: good.fixed.map(() => 2 ** 40) }, /fixed/],
      [{ ...good, categories: good.categories.slice(1) }, /categories has/],
      [{ ...good, more: 1 }, /malformed tree/],
    ];
    for (const [value, message] of broken) expect(() => decodeTree(value, 2)).toThrow(message);
  });
});
