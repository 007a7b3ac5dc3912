// Model files of other versions of XGBoost: by real XGBoost where it is at hand, else by hand, with what XGBoost 3.4.1
// answered to the same file.

import { describe, expect, it } from 'vitest';
import { TabgradError } from '../../../kernels/errors.ts';
import { TreePredictor } from '../../../shared/gbdt/model/treePredictor.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { writeModel } from '../../../shared/gbdt/model/writeModel.ts';
import { trainOracle, type OracleData } from '../../oracle/xgboost.ts';
import { mutateJson, mutateText } from '../../setup/mutations.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const random = seededRandom(3);
const rows = 400;
const columns = [0, 1, 2].map(() => Float32Array.from({ length: rows }, () => Math.round(random() * 100)));
const labels = columns[0]!.map((x, row) => (x + columns[1]![row]! + 40 * random() > 120 ? 1 : 0));
const data: OracleData = { columns, labels };

const leaf = { categories: [], categories_nodes: [], categories_segments: [], categories_sizes: [] };

/** A split at `threshold` of feature 0, with the leaves 0.5 and 2. */
function stump(more: object = {}): object {
  return {
    ...leaf,
    base_weights: [0, 0.5, 2],
    default_left: [1, 0, 0],
    left_children: [1, -1, -1],
    right_children: [2, -1, -1],
    parents: [2147483647, 0, 0],
    loss_changes: [1.5, 0, 0],
    split_conditions: [1.5, 0.5, 2],
    split_indices: [0, 0, 0],
    split_type: [0, 0, 0],
    sum_hessian: [10, 5, 5],
    tree_param: { num_deleted: '0', num_feature: '1', num_nodes: '3', size_leaf_vector: '1' },
    ...more,
  };
}

const oneCategory = {
  split_type: [1, 0, 0],
  default_left: [0, 0, 0],
  categories: [1],
  categories_nodes: [0],
  categories_segments: [0],
  categories_sizes: [1],
};

interface Parts {
  readonly trees?: readonly object[];
  readonly info?: readonly number[];
  readonly inModel?: object;
  readonly inLearner?: object;
  readonly param?: object;
  readonly objective?: string;
}

function fileOf({ trees = [stump()], info, inModel, inLearner, param, objective }: Parts): string {
  return JSON.stringify({
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        name: 'gbtree',
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: String(trees.length) },
          tree_info: info ?? trees.map(() => 0),
          trees,
          ...inModel,
        },
      },
      learner_model_param: { base_score: '0E0', num_class: '0', num_feature: '1', num_target: '1', ...param },
      objective: { name: objective ?? 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } },
      ...inLearner,
    },
    version: [3, 4, 1],
  });
}

function predictions(text: string, values: readonly number[]): number[] {
  return Array.from(new Predictor(readModel(text)).predict([Float32Array.from(values)], values.length));
}

describe('a model of real XGBoost', () => {
  it.each([
    ['DART', { booster: 'dart', rate_drop: 0.5, one_drop: 1, seed: 3 }],
    ['pruned trees', { tree_method: 'exact', updater: 'grow_colmaker,prune', gamma: 4 }],
  ])('predicts the same here, written anew too: %s', (kind, more) => {
    const { booster } = trainOracle({ objective: 'binary:logistic', max_depth: 5, ...more }, data, 12);
    const text = booster.save();
    if (kind === 'DART')
      expect(text).toMatch(/"weight_drop":\[(?!1E0,1E0,1E0,1E0,1E0,1E0,1E0,1E0,1E0,1E0,1E0,1E0\])/);
    else expect(text).toMatch(/"num_deleted":"[1-9]/);
    const there = booster.predict(data, { outputMargin: true });
    for (const model of [readModel(text), readModel(writeModel(readModel(text)))]) {
      const here = new Predictor(model).predict(columns, rows, { outputMargin: true });
      here.forEach((value, row) => expect(value).toBeCloseTo(there[row]!, 5));
    }
  });
});

describe('a model of XGBoost 3', () => {
  it('has drop-out weights beside its trees', () => {
    const text = fileOf({ trees: [stump(), stump()], inModel: { weight_drop: [0.25, 1] } });
    expect(predictions(text, [0, 3])).toEqual([0.625, 2.5]);
    expect(predictions(fileOf({ inModel: { weight_drop: [] } }), [0, 3])).toEqual([0.5, 2]);
    expect(() => readModel(fileOf({ inModel: { weight_drop: [1, 1] } }))).toThrow(
      /model\.weight_drop: has 2 entries, expected 1/,
    );
  });

  it('has a vector of base_score, whose entries are margins', () => {
    const param = { num_class: '2', base_score: '[5E-1,-2.5E-1]' };
    const text = fileOf({ trees: [stump(), stump()], info: [0, 1], param, objective: 'multi:softprob' });
    const again = writeModel(readModel(text));
    for (const file of [text, again]) {
      const margins = new Predictor(readModel(file)).predict([Float32Array.of(0, 3)], 2, {
        outputMargin: true,
      });
      expect(Array.from(margins)).toEqual([1, 0.25, 2.5, 1.75]);
    }
    const short = { ...param, base_score: '[5E-1,1,2]' };
    expect(() => readModel(fileOf({ param: short, objective: 'multi:softprob' }))).toThrow(
      /base_score: has 3 entries, expected 2/,
    );
  });

  it('clips a base_score of 0 or 1', () => {
    const file = (base: string) =>
      fileOf({ trees: [], param: { base_score: base }, objective: 'binary:logistic' });
    expect(predictions(file('[1E0]'), [0])[0]).toBeCloseTo(0.999999, 6);
    expect(predictions(file('0E0'), [0])[0]).toBeCloseTo(1e-6, 9);
  });

  it('knows its categories by text or by number', () => {
    const bytes = (text: string): number[] =>
      [...new TextEncoder().encode(text)].map((byte) => (byte > 127 ? byte - 256 : byte));
    const cats = (enc: object) => ({
      inModel: { cats: { enc: [enc], feature_segments: [0, 3], sorted_idx: [0, 1, 2] } },
    });
    const inLearner = { feature_names: ['c'], feature_types: ['c'] };
    const trees = [stump(oneCategory)];
    const text = fileOf({
      trees,
      inLearner,
      ...cats({ offsets: [0, 3, 8, 12], values: bytes('redgrünblue') }),
    });
    const call = (file: string, c: readonly unknown[]) =>
      Array.from(
        new TreePredictor({ loadModel: () => readModel(file) }).call({ c })['predictions'] as Float32Array,
      );
    expect(call(text, ['red', 'grün', 'blue', null, 'pink'])).toEqual([0.5, 2, 0.5, 2, 2]);
    expect(() => call(text, [1])).toThrow(/knows its categories by name/);
    const numbers = fileOf({ trees, inLearner, ...cats({ type: 15, values: [5, 0, 1] }) });
    expect(call(numbers, [5, 0, 1, null])).toEqual([0.5, 2, 0.5, 2]);
    const wrong = fileOf({ trees, inLearner, ...cats({ offsets: [0, 3, 2], values: bytes('red') }) });
    expect(() => readModel(wrong)).toThrow(/cats\.enc\[0\]\.offsets\[2\]: is below the one before/);
  });

  it('has leaves with several values: beside their weights, or as them', () => {
    const param = { num_class: '2', base_score: '[0E0,1E0]' };
    const form = (more: object): string =>
      fileOf({
        trees: [stump({ tree_param: { size_leaf_vector: '2' }, base_weights: [9, 9, 1, 2, 3, 4], ...more })],
        param,
        objective: 'multi:softprob',
      });
    const margins = (text: string): number[] =>
      Array.from(new Predictor(readModel(text)).predict([Float32Array.of(0, 3)], 2, { outputMargin: true }));
    expect(margins(form({}))).toEqual([1, 3, 3, 5]);
    const placed = { right_children: [2, 1, 0], leaf_weights: [5, 6, 7, 8] };
    expect(margins(form(placed))).toEqual([7, 9, 5, 7]);
    expect(margins(writeModel(readModel(form(placed))))).toEqual([7, 9, 5, 7]);
    expect(() => readModel(form({ ...placed, leaf_weights: [5, 6] }))).toThrow(
      /right_children\[1\]: is 1, which leaf_weights has not/,
    );
    expect(() => readModel(form({ base_weights: [1, 2, 3] }))).toThrow(/has 3 entries, expected 6/);
    expect(() => readModel(form({ tree_param: { size_leaf_vector: '3' } }))).toThrow(
      /size_leaf_vector: is 3, expected 1 or 2/,
    );
    const mixed = fileOf({
      trees: [stump({ tree_param: { size_leaf_vector: '2' }, base_weights: [0, 0, 0, 0, 0, 0] }), stump()],
      param,
      objective: 'multi:softprob',
    });
    expect(() => readModel(mixed)).toThrow(/trees\[1\]: some trees have leaves with several values/);
  });

  it('has rounds of different numbers of trees', () => {
    const text = fileOf({
      trees: [stump(), stump(), stump()],
      inModel: { iteration_indptr: [0, 1, 3] },
    });
    for (const model of [readModel(text), readModel(writeModel(readModel(text)))]) {
      const predictor = new Predictor(model);
      const sums = [undefined, [0, 1], [1, 2]].map(
        (range) =>
          predictor.predict(
            [Float32Array.of(3)],
            1,
            range && { iterationRange: range as [number, number] },
          )[0],
      );
      expect(sums).toEqual([6, 2, 4]);
    }
    const wrong = (starts: number[]): string =>
      fileOf({ trees: [stump(), stump()], inModel: { iteration_indptr: starts } });
    expect(() => readModel(wrong([0, 1]))).toThrow(/iteration_indptr\[1\]: is 1, expected 2/);
    expect(() => readModel(wrong([0, 2, 1, 2]))).toThrow(/iteration_indptr\[2\]: is below/);
  });
});

describe('a tree whose children come before their parents', () => {
  const text = fileOf({
    trees: [
      {
        ...leaf,
        base_weights: [0, 1, 2, 0, 3],
        default_left: [1, 0, 0, 1, 0],
        left_children: [3, -1, -1, 1, -1],
        right_children: [4, -1, -1, 2, -1],
        parents: [2147483647, 3, 3, 0, 0],
        loss_changes: [1, 0, 0, 1, 0],
        split_conditions: [2, 1, 2, 1, 3],
        split_indices: [0, 0, 0, 0, 0],
        split_type: [0, 0, 0, 0, 0],
        sum_hessian: [3, 1, 1, 2, 1],
      },
    ],
  });

  it('is walked, and written in order', () => {
    expect(predictions(text, [0, 1.5, 4])).toEqual([1, 2, 3]);
    const [tree] = readModel(text).trees;
    expect([...tree!.left]).toEqual([1, 3, -1, -1, -1]);
    expect([...tree!.parent]).toEqual([-1, 0, 0, 1, 1]);
    expect(predictions(writeModel(readModel(text)), [0, 1.5, 4])).toEqual([1, 2, 3]);
  });

  it.each([
    ['goes round', '[3,-1,-1,1,-1]', '[3,-1,-1,0,-1]', /has two parents/],
    ['has one child', '[4,-1,-1,2,-1]', '[4,-1,-1,-1,-1]', /the node has one child/],
  ])('is refused where it %s', (_, from, to, message) => {
    expect(text).toContain(from);
    expect(() => readModel(text.replace(from, to))).toThrow(message);
  });
});

describe('what is no model file', () => {
  it.each([
    ['a dump of trees', '[{"nodeid":0,"leaf":1}]', /dump_model .* save_model/],
    [
      'UBJSON',
      '{L\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0007learner{',
      /UBJSON, which is read as bytes/,
    ],
    ['gzip', '\u001f\u008b\u0008', /gzip/],
    ['a list', '[1]', /\(root\): expected an object/],
  ])('is told apart: %s', (_, text, message) => {
    expect(() => readModel(text)).toThrow(message);
  });

  it('may begin with a byte order mark', () => {
    expect(predictions(`\uFEFF${fileOf({})}`, [0])).toEqual([0.5]);
  });

  it('may not name a feature twice', () => {
    const inLearner = { feature_names: ['x', 'x'] };
    expect(() => readModel(fileOf({ inLearner, param: { num_feature: '2' } }))).toThrow(
      /learner\.feature_names\[1\]: "x" is there twice/,
    );
  });
});

describe('a hostile model file', () => {
  /** Inner nodes in a chain, each with a set of categories. */
  function chain(inner: number, sets: object): string {
    const nodes = 2 * inner + 1;
    const fill = (value: number): number[] => Array.from({ length: nodes }, () => value);
    const children = (first: number): number[] =>
      Array.from({ length: nodes }, (_, node) => (node % 2 === 0 && node < 2 * inner ? node + first : -1));
    return fileOf({
      trees: [
        {
          left_children: children(1),
          right_children: children(2),
          ...Object.fromEntries(
            ['parents', 'split_indices', 'split_conditions', 'default_left', 'split_type'].map((name) => [
              name,
              fill(0),
            ]),
          ),
          ...Object.fromEntries(
            ['loss_changes', 'sum_hessian', 'base_weights'].map((name) => [name, fill(0)]),
          ),
          categories_nodes: Array.from({ length: inner }, (_, i) => 2 * i),
          ...sets,
        },
      ],
    });
  }

  it('can not make sets of categories take more than the file is worth', () => {
    const shared = {
      categories: [1 << 24],
      categories_segments: Array.from({ length: 400 }, () => 0),
      categories_sizes: Array.from({ length: 400 }, () => 1),
    };
    expect(() => readModel(chain(400, shared))).toThrow(
      /categories_sizes\[1\]: sets have more than 1 members in all/,
    );
    const own = {
      categories: Array.from({ length: 400 }, () => 1 << 24),
      categories_segments: Array.from({ length: 400 }, (_, i) => i),
      categories_sizes: Array.from({ length: 400 }, () => 1),
    };
    expect(() => readModel(chain(400, own))).toThrow(/take more than 64 MiB/);
  });

  it.each([
    ['an open quote', '"' + '\\"'.repeat(2_000_000)],
    ['many quotes', '"'.repeat(4_000_001)],
    ['brackets', '['.repeat(4_000_000)],
    ['NaN', `[${'NaN,'.repeat(1_000_000)}`],
    [
      'nested attributes',
      fileOf({ inLearner: { attributes: { a: 0 } } }).replace(
        '"a":0',
        `"a":${'['.repeat(1e6)}${']'.repeat(1e6)}`,
      ),
    ],
    ['classes without trees', fileOf({ param: { num_class: '900000' }, objective: 'multi:softprob' })],
  ])('is refused in time in proportion to its size: %s', (_, text) => {
    const start = process.cpuUsage();
    expect(() => readModel(text)).toThrow(TabgradError);
    // A pass over four million characters computes for milliseconds; a quadratic one for hours.
    expect(process.cpuUsage(start).user).toBeLessThan(10_000_000);
  });

  it('is read, or refused with a code, however it was damaged', () => {
    const draw = seededRandom(9);
    const { booster } = trainOracle({ objective: 'binary:logistic', max_depth: 3 }, data, 3);
    const text = booster.save();
    const whole: unknown = JSON.parse(text);
    let read = 0;
    for (let i = 0; i < 600; i += 1) {
      const damaged = i % 3 === 0 ? mutateText(text, draw) : JSON.stringify(mutateJson(whole, draw));
      try {
        const model = readModel(damaged);
        const zeros = Array.from({ length: model.numFeature }, () => new Float32Array(2));
        const predicted = new Predictor(model).predict(zeros, 2, { iterationRange: [0, 0] });
        expect(predicted).toHaveLength(2 * Math.max(1, model.numClass));
        read += 1;
      } catch (error) {
        if (!(error instanceof TabgradError))
          throw new Error(`mutant ${i}: ${damaged.slice(0, 3000)}`, { cause: error });
        expect(error.code).toMatch(/^MODEL_/);
      }
    }
    expect(read).toBeGreaterThan(50);
    expect(read).toBeLessThan(550);
  });
});
