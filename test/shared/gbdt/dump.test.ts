// Dumps say what those of XGBoost 1.7.5 say of the same model.

import { describe, expect, it } from 'vitest';
import { dumpNumber } from '../../../shared/gbdt/dump/dumpNumber.ts';
import { dumpTrees } from '../../../shared/gbdt/dump/dumpFormats.ts';
import { treesToTable } from '../../../shared/gbdt/dump/treesToTable.ts';
import { readModel } from '../../../shared/gbdt/model/readModel.ts';
import { trainOracle } from '../../oracle/xgboost.ts';
import { knownModels } from '../../setup/knownModels.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const random = seededRandom(2);
const rows = 400;
const columns = [
  Float32Array.from({ length: rows }, () => (random() < 0.1 ? NaN : random() * 1e6)),
  Float32Array.from({ length: rows }, () => random() * 1e-6),
  Float32Array.from({ length: rows }, () => Math.floor(random() * 5)),
];
const labels = columns[0]!.map((value, row) => (value || 0) / 1e5 + (columns[2]![row]! % 2) * 3 + random());
const { booster } = trainOracle({ max_depth: 4 }, { columns, labels }, 4);
const model = readModel(booster.save());
const categorical = trainOracle(
  { max_depth: 4, max_cat_to_onehot: 1 },
  { columns, labels, categorical: [false, false, true] },
  4,
).booster;
const withCategories = readModel(categorical.save());

describe.each([false, true])('a dump with stats: %s', (withStats) => {
  it('of text is that of XGBoost', () => {
    expect(dumpTrees(model, { withStats })).toEqual(booster.dump('text', withStats));
  });

  it('of JSON says the same', () => {
    const ours = dumpTrees(model, { format: 'json', withStats }).map((text) => JSON.parse(text) as unknown);
    expect(ours).toEqual(booster.dump('json', withStats).map((text) => JSON.parse(text) as unknown));
  });

  it('for Graphviz has the nodes and edges of XGBoost', () => {
    const parts = (text: string): string[] =>
      [...text.matchAll(/^\s*(\d+ (?:-> \d+ )?\[.*?\])$/gms)]
        .map(([, part]) => part!.replace(/\s+/g, ' '))
        .sort();
    const ours = dumpTrees(withCategories, { format: 'dot', withStats });
    expect(ours.map(parts)[0]!.length).toBeGreaterThan(10);
    if (!withStats) expect(ours.map(parts)).toEqual(categorical.dump('dot', false).map(parts));
  });
});

it('categories are those that go right, which answer yes', () => {
  // XGBoost 1.7.5 fails at such dumps; this is the form that it documents.
  const [text] = dumpTrees(withCategories);
  const [, id, set, yes] = /(\d+):\[f2:\{([\d,]+)\}\] yes=(\d+),no=\d+,missing=\d+/.exec(text!)!;
  const row = treesToTable(withCategories).find(({ ID }) => ID === `0-${id}`)!;
  expect(row).toMatchObject({ Feature: 'f2', Split: null, Yes: `0-${yes}` });
  expect(row.Category!.join()).toBe(set);
  expect(dumpTrees(withCategories, { format: 'json' })[0]).toContain(
    `"split_condition": [${row.Category!.join(', ')}]`,
  );
});

it('numbers are those of C', () => {
  const cases = [
    548_795.0625,
    2_097_153.75,
    0.1,
    1e-5,
    123_456_789,
    1_234_567_890,
    1e9,
    -2.5,
    0,
    -0,
    1e-45,
    3.4028234663852886e38,
    100,
    NaN,
  ];
  expect(cases.map((value) => dumpNumber(Math.fround(value)))).toEqual([
    '548795.062',
    '2097153.75',
    '0.100000001',
    '9.99999975e-06',
    '123456792',
    '1.23456794e+09',
    '1e+09',
    '-2.5',
    '0',
    '-0',
    '1.40129846e-45',
    '3.40282347e+38',
    '100',
    'nan',
  ]);
});

it('a table has a row a node, by their numbers in the file', () => {
  const pruned = readModel(knownModels().get('pruned')!.json);
  const table = treesToTable(pruned);
  const first = table.filter(({ Tree }) => Tree === 0);
  expect(first[0]).toMatchObject({ Node: 0, ID: '0-0', Category: null });
  const leaves = first.filter(({ Feature }) => Feature === 'Leaf');
  expect(first).toHaveLength(2 * leaves.length - 1);
  for (const { Yes, No, Missing } of first.filter(({ Feature }) => Feature !== 'Leaf')) {
    expect(first.filter(({ ID }) => ID === Yes || ID === No)).toHaveLength(2);
    expect([Yes, No]).toContain(Missing);
  }
});

it('a deep chain of nodes is dumped', () => {
  const depth = 20_000;
  const nodes = 2 * depth + 1;
  const tree = {
    left: Int32Array.from({ length: nodes }, (_, i) => (i % 2 === 0 && i < 2 * depth ? i + 1 : -1)),
    right: Int32Array.from({ length: nodes }, (_, i) => (i % 2 === 0 && i < 2 * depth ? i + 2 : -1)),
    parent: new Int32Array(nodes),
    feature: new Int32Array(nodes),
    threshold: new Float32Array(nodes),
    defaultLeft: new Uint8Array(nodes),
    categories: new Map<number, Uint32Array>(),
    gain: new Float32Array(nodes),
    cover: new Float32Array(nodes),
    weight: new Float32Array(nodes),
  };
  const chain = { ...model, trees: [tree], treeOutputs: [0] };
  expect(treesToTable(chain)).toHaveLength(nodes);
  expect(dumpTrees(chain, { format: 'json' })[0]!.endsWith(']}')).toBe(true);
  expect(dumpTrees(chain)[0]!.split('\n')).toHaveLength(nodes + 1);
  expect(dumpTrees(chain, { format: 'dot' })[0]).toContain(`${2 * depth} [ label="leaf=0" ]`);
});

it('a linear model has none', () => {
  expect(() => dumpTrees(readModel(knownModels().get('gblinear')!.json))).toThrow(/no trees to dump/);
});
