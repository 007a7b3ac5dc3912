// Models to serve, made by real XGBoost and by hand: one with numbers and named categories, one of three classes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import { trainOracle, type OracleBooster } from '../../oracle/xgboost.ts';

export const carriers = ['AA', 'DL', 'UA', 'WN'];

interface ServedModel {
  readonly checkpoint: Checkpoint;
  readonly booster: OracleBooster;
}

export interface ServedModels {
  /** binary:logistic over distance, hour and carrier (by name). */
  readonly late: ServedModel;
  /** The same with other trees. */
  readonly later: ServedModel;
  /** multi:softprob of three classes over x and y. */
  readonly classes: ServedModel;
  remove(): void;
}

export interface Flight {
  readonly distance: number | null;
  readonly hour: number | null;
  readonly carrier: string | null;
}

/** Row number i of an endless table; some values are missing. */
function flight(i: number): Flight {
  return {
    distance: i % 11 === 5 ? null : (i * 7919) % 2500,
    hour: (i * 13) % 24,
    carrier: i % 17 === 3 ? null : carriers[(i * 5) % 4]!,
  };
}

export function flights(count: number): Flight[] {
  return Array.from({ length: count }, (_, i) => flight(i));
}

/** As real XGBoost wants them: columns of numbers. */
export function oracleColumns(rows: readonly Flight[]): Float32Array[] {
  return [
    Float32Array.from(rows, ({ distance }) => distance ?? NaN),
    Float32Array.from(rows, ({ hour }) => hour ?? NaN),
    Float32Array.from(rows, ({ carrier }) => (carrier === null ? NaN : carriers.indexOf(carrier))),
  ];
}

export function makeServedModels(): ServedModels {
  const folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-serve-'));
  const rows = flights(800);
  const columns = oracleColumns(rows);
  const labels = rows.map(({ distance, hour }) => Number((distance ?? 0) * ((hour ?? 0) - 9) > 4000));
  const late = trainOracle({ objective: 'binary:logistic', max_depth: 4 }, { columns, labels }, 6).booster;
  const later = trainOracle({ objective: 'binary:logistic', max_depth: 2 }, { columns, labels }, 2).booster;
  const points = [0, 1].map((f) =>
    Float32Array.from({ length: 300 }, (_, i) => ((i + 1) * (f + 3) * 7919) % 97),
  );
  const kinds = Array.from({ length: 300 }, (_, i) =>
    points[0]![i]! > 60 ? 2 : points[1]![i]! > 40 ? 1 : 0,
  );
  const classes = trainOracle(
    { objective: 'multi:softprob', num_class: 3, max_depth: 3 },
    { columns: points, labels: kinds },
    4,
  ).booster;
  const named = (booster: OracleBooster): string =>
    withFeatures(booster.save(), ['distance', 'hour', 'carrier'], { carrier: carriers });
  const write = (name: string, text: string): Checkpoint => {
    const file = path.join(folder, `${name}.json`);
    writeFileSync(file, text);
    return new Checkpoint(file);
  };
  return {
    late: { checkpoint: write('late', named(late)), booster: late },
    later: { checkpoint: write('later', named(later)), booster: later },
    classes: {
      checkpoint: write('classes', withFeatures(classes.save(), ['x', 'y'], {})),
      booster: classes,
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The model with names for its features and categories, as tabgrad's trainer keeps them. */
function withFeatures(
  text: string,
  names: readonly string[],
  categories: Readonly<Record<string, readonly string[]>>,
): string {
  const model = JSON.parse(text) as { learner: Record<string, unknown> };
  model.learner['feature_names'] = names;
  model.learner['feature_types'] = names.map(() => 'float');
  model.learner['attributes'] = { tabgrad_categories: JSON.stringify(categories) };
  return JSON.stringify(model);
}
