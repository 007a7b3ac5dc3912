// Real data sets for comparisons with real XGBoost, split 70/30 by a seeded draw.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { OracleData } from '../../oracle/xgboost.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

export interface SplitData {
  readonly train: OracleData;
  readonly valid: OracleData;
}

const root = path.resolve(import.meta.dirname, '../../..');

export function splitRows(data: OracleData, seed: number): SplitData {
  const random = seededRandom(seed);
  const rows = Array.from({ length: data.labels.length }, (_, row) => row);
  const inTrain = rows.map(() => random() < 0.7);
  const pick = (wanted: boolean): OracleData => {
    const kept = rows.filter((row) => inTrain[row] === wanted);
    const take = (from: ArrayLike<number>): Float32Array => Float32Array.from(kept, (row) => from[row]!);
    return {
      columns: data.columns.map(take),
      labels: take(data.labels),
      ...(data.weights !== undefined && { weights: take(data.weights) }),
      ...(data.categorical !== undefined && { categorical: data.categorical }),
    };
  };
  return { train: pick(true), valid: pick(false) };
}

function readCsv(file: string): string[][] {
  const bytes = readFileSync(path.join(root, file));
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
}

const toColumns = (rows: readonly (readonly number[])[]): Float32Array[] =>
  rows[0]!.map((_, f) => Float32Array.from(rows, (row) => row[f]!));

/** scikit-learn's files: numbers, the class last. */
function classesLast(file: string, header: number): OracleData {
  const rows = readCsv(file)
    .slice(header)
    .map((row) => row.map(Number));
  const columns = toColumns(rows);
  return { columns: columns.slice(0, -1), labels: columns[columns.length - 1]! };
}

export const breastCancer = (): SplitData => splitRows(classesLast('test/data/breast_cancer.csv', 1), 1);
export const wine = (): SplitData => splitRows(classesLast('test/data/wine_data.csv', 1), 2);
export const digits = (): SplitData => splitRows(classesLast('test/data/digits.csv.gz', 0), 3);

/** Diamonds: price from carat, depth, table, x, y, z and cut, color, clarity as categories. */
export function diamonds(): SplitData {
  const [header, ...rows] = readCsv('node_modules/@observablehq/sample-datasets/diamonds.csv');
  const texts = ['cut', 'color', 'clarity'];
  const names = ['carat', 'depth', 'table', 'x', 'y', 'z', ...texts];
  const columns = names.map((name) => {
    const at = header!.indexOf(name);
    if (!texts.includes(name)) return Float32Array.from(rows, (row) => Number(row[at]));
    const codes = [...new Set(rows.map((row) => row[at]!))].sort();
    return Float32Array.from(rows, (row) => codes.indexOf(row[at]!));
  });
  const price = header!.indexOf('price');
  const labels = Float32Array.from(rows, (row) => Number(row[price]));
  return splitRows({ columns, labels, categorical: names.map((name) => texts.includes(name)) }, 4);
}

/** 231,083 US flights: late by more than 15 minutes, from distance and time of day. */
export function flights(): SplitData {
  const file = path.join(root, 'node_modules/vega-datasets/data/flights-200k.json');
  const rows = JSON.parse(readFileSync(file, 'utf8')) as { delay: number; distance: number; time: number }[];
  const columns = [
    Float32Array.from(rows, (row) => row.distance),
    Float32Array.from(rows, (row) => row.time),
    Float32Array.from(rows, (row) => Math.floor(row.time)),
  ];
  return splitRows({ columns, labels: Float32Array.from(rows, (row) => (row.delay > 15 ? 1 : 0)) }, 5);
}
