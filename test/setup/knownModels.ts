// Models that XGBoost 3.4.1 wrote, with its own predictions: see test/data/README.md.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface KnownModel {
  readonly json: string;
  readonly ubjson: Uint8Array;
  /** [row][output]. */
  readonly predict: Float32Array;
  readonly margin: Float32Array;
  /** [row][tree]; undefined for gblinear. */
  readonly leaf: Float32Array | undefined;
  readonly importance: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** Values by column, null where missing. */
  readonly batch: Readonly<Record<string, readonly unknown[]>>;
}

type Numbers = readonly (number | readonly number[])[];

interface Recorded {
  readonly rows: readonly (readonly (number | null)[])[];
  readonly models: Readonly<
    Record<
      string,
      {
        readonly json: string;
        readonly ubj: string;
        readonly predict: Numbers;
        readonly margin: Numbers;
        readonly leaf?: Numbers;
        readonly importance?: KnownModel['importance'];
        readonly rows?: readonly Readonly<Record<string, unknown>>[];
      }
    >
  >;
}

/** By name. */
export function knownModels(): ReadonlyMap<string, KnownModel> {
  const file = path.join(import.meta.dirname, '../data/xgboostModels.json.gz');
  const { rows, models } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Recorded;
  const common = Object.fromEntries(
    ['a', 'b', 'c', 'd', 'e'].map((name, i) => [name, rows.map((row) => row[i])]),
  );
  return new Map(
    Object.entries(models).map(([name, model]) => [
      name,
      {
        json: model.json,
        ubjson: Buffer.from(model.ubj, 'base64'),
        predict: Float32Array.from(model.predict.flat()),
        margin: Float32Array.from(model.margin.flat()),
        leaf: model.leaf && Float32Array.from(model.leaf.flat()),
        importance: model.importance,
        batch: model.rows
          ? Object.fromEntries(
              ['a', 'colour', 'size'].map((column) => [column, model.rows!.map((row) => row[column])]),
            )
          : common,
      },
    ]),
  );
}
