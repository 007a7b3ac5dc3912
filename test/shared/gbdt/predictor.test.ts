// The compiled predictor against a plain walk of the trees as the model holds them, bit by bit.

import { describe, expect, it } from 'vitest';
import type { GbdtModel, ModelTree } from '../../../shared/gbdt/model/model.ts';
import { Predictor } from '../../../shared/gbdt/model/predictor.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const NUM_FEATURE = 4;
const EDGE_VALUES = [
  NaN,
  0,
  -0,
  Infinity,
  -Infinity,
  1e-45,
  -1e-45,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  -1,
  -0.5,
  0.9,
  31,
  32.5,
  63,
  64,
  255,
  256,
  16_777_215,
  16_777_216,
  16_777_218,
];

type Shape = 'leaf' | 'bushy' | 'chain';

/** Trees with random children, siblings apart; features 2 and 3 are categories where asked for. */
function randomTree(random: () => number, shape: Shape, categorical: boolean): ModelTree {
  const draw = (below: number): number => Math.floor(random() * below);
  const left = [-1];
  const right = [-1];
  const growing = [0];
  const splits = shape === 'leaf' ? 0 : shape === 'chain' ? 40 : 3 + draw(40);
  for (let split = 0; split < splits; split += 1) {
    const at = shape === 'chain' ? growing.length - 1 : draw(growing.length);
    const [node] = growing.splice(at, 1);
    const [one, other] = [left.length, left.length + 1];
    [left[node!], right[node!]] = random() < 0.5 ? [one, other] : [other, one];
    left.push(-1, -1);
    right.push(-1, -1);
    growing.push(one, other);
  }
  const feature = Int32Array.from(left, () => draw(NUM_FEATURE));
  const categories = new Map<number, Uint32Array>();
  left.forEach((child, node) => {
    if (!categorical || child === -1 || feature[node]! < 2) return;
    categories.set(
      node,
      Uint32Array.from({ length: draw(4) }, () => random() * 2 ** 32),
    );
  });
  const threshold = Float32Array.from(left, (child) => {
    if (child === -1) return random() - 0.5;
    return random() < 0.5 ? (random() - 0.5) * 100 : EDGE_VALUES[draw(EDGE_VALUES.length)]!;
  });
  const zeros = new Float32Array(left.length);
  return {
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    parent: new Int32Array(left.length),
    feature,
    threshold,
    defaultLeft: Uint8Array.from(left, () => draw(2)),
    categories,
    gain: zeros,
    cover: zeros,
    weight: zeros,
  };
}

function modelOf(trees: readonly ModelTree[], classes = 0): GbdtModel {
  return {
    objective: classes === 0 ? 'reg:squarederror' : 'multi:softprob',
    numClass: classes,
    numFeature: NUM_FEATURE,
    baseScore: 0.5,
    scalePosWeight: 1,
    featureNames: [],
    featureTypes: [],
    attributes: {},
    trees,
    treeOutputs: trees.map((_, t) => (classes === 0 ? 0 : t % classes)),
    parallelTrees: 1,
  };
}

function randomColumns(random: () => number, rows: number): Float32Array[] {
  return Array.from({ length: NUM_FEATURE }, () =>
    Float32Array.from({ length: rows }, () =>
      random() < 0.5 ? (random() - 0.3) * 100 : EDGE_VALUES[Math.floor(random() * EDGE_VALUES.length)]!,
    ),
  );
}

function isLeft(tree: ModelTree, node: number, value: number): boolean {
  const missing = tree.defaultLeft[node] === 1;
  if (Number.isNaN(value)) return missing;
  const words = tree.categories.get(node);
  if (words === undefined) return value < tree.threshold[node]!;
  if (value < 0 || value >= 16_777_217) return true;
  const code = Math.floor(value);
  return code >= words.length * 32 || ((words[Math.floor(code / 32)]! >>> (code % 32)) & 1) === 0;
}

function plainMargins(model: GbdtModel, columns: readonly Float32Array[], rows: number): Float32Array {
  const outputs = Math.max(1, model.numClass);
  const margins = new Float32Array(rows * outputs).fill(model.baseScore);
  for (let row = 0; row < rows; row += 1) {
    model.trees.forEach((tree, t) => {
      let node = 0;
      while (tree.left[node] !== -1) {
        const value = columns[tree.feature[node]!]![row]!;
        node = isLeft(tree, node, value) ? tree.left[node]! : tree.right[node]!;
      }
      margins[row * outputs + model.treeOutputs[t]!]! += tree.threshold[node]!;
    });
  }
  return margins;
}

describe('margins are those of a plain walk, bit by bit, with edge values, categories and missing values', () => {
  it.each([0, 1, 3, 4, 5, 63, 64, 65, 257, 513])('for %i rows', (rows) => {
    const random = seededRandom(rows + 1);
    const shapes: Shape[] = ['leaf', 'bushy', 'chain', 'bushy', 'bushy', 'chain'];
    const model = modelOf(shapes.map((shape, t) => randomTree(random, shape, t % 2 === 1)));
    const columns = randomColumns(random, rows);
    const margins = new Predictor(model).predict(columns, rows, { outputMargin: true });
    expect(margins).toEqual(plainMargins(model, columns, rows));
  });

  it('for many random forests of one or three outputs', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const random = seededRandom(1000 + seed);
      const trees = Array.from({ length: 6 }, () => randomTree(random, 'bushy', random() < 0.6));
      const model = modelOf(trees, seed % 2 === 0 ? 0 : 3);
      const columns = randomColumns(random, 70);
      const margins = new Predictor(model).predict(columns, 70, { outputMargin: true });
      expect(margins).toEqual(plainMargins(model, columns, 70));
    }
  });

  it('for a model of single leaves alone, and of no trees', () => {
    const leaf = randomTree(seededRandom(5), 'leaf', false);
    const columns = randomColumns(seededRandom(6), 9);
    for (const model of [modelOf([leaf, leaf]), modelOf([])]) {
      const margins = new Predictor(model).predict(columns, 9, { outputMargin: true });
      expect(margins).toEqual(plainMargins(model, columns, 9));
    }
  });

  it('again when a predictor that has seen many rows is given few', () => {
    const random = seededRandom(7);
    const model = modelOf([randomTree(random, 'bushy', true), randomTree(random, 'bushy', false)]);
    const predictor = new Predictor(model);
    const columns = randomColumns(random, 200);
    predictor.predict(columns, 200);
    const few = randomColumns(random, 6);
    expect(predictor.predict(few, 6, { outputMargin: true })).toEqual(plainMargins(model, few, 6));
  });
});
