// Whether two workers made the same of a batch.

import { isDeepStrictEqual } from 'node:util';
import type * as arrow from 'apache-arrow';
import { columnOf } from '../../../shared/columns/concatBatches.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { exactValuesOf } from '../../../shared/columns/valuesOf.ts';
import type { Difference } from '../../program/checks/answerCheck.ts';
import { compareNumbers } from '../../program/checks/compareNumbers.ts';
import type { PredictedColumns } from '../../program/program.ts';

/** @param predicts undefined for code of owners, of which every value counts. */
export function compareBatches(
  said: arrow.RecordBatch,
  right: arrow.RecordBatch,
  predicts: PredictedColumns | undefined,
): Difference | undefined {
  return predicts ? comparePredictions(said, right, predicts) : compareAll(said, right);
}

function comparePredictions(
  said: arrow.RecordBatch,
  right: arrow.RecordBatch,
  { outputs, tolerance }: PredictedColumns,
): Difference | undefined {
  let first: Difference | undefined;
  for (const name of outputs) {
    const [one, other] = [said, right].map((batch) => columnOf(batch, name).values as Float32Array) as [
      Float32Array,
      Float32Array,
    ];
    const rows = [said.numRows, right.numRows] as const;
    const found = compareNumbers(one.subarray(0, rows[0]), other.subarray(0, rows[1]), {
      tolerance,
      where: (row) => placeOf(row, name),
    });
    if (found?.isLie === true) return found;
    first ??= found;
  }
  return first;
}

function compareAll(said: arrow.RecordBatch, right: arrow.RecordBatch): Difference | undefined {
  const differ = (where: string, claimed: unknown, found: unknown): Difference => {
    return { isLie: true, where, claimed: shown(claimed), found: shown(found) };
  };
  const [claimed, found] = [said, right].map(columnsOf) as [string, string];
  if (claimed !== found) return differ('its columns', claimed, found);
  if (said.numRows !== right.numRows) return differ('its length', said.numRows, right.numRows);
  const strings = new DictionaryStrings();
  for (const { name } of right.schema.fields) {
    const [one, other] = [said, right].map((batch) => exactValuesOf(columnOf(batch, name), strings)) as [
      unknown[],
      unknown[],
    ];
    const row = one.findIndex((value, at) => !isDeepStrictEqual(value, other[at]));
    if (row >= 0) return differ(placeOf(row, name), one[row], other[row]);
  }
  return undefined;
}

const MOST_SHOWN = 100;

function placeOf(row: number, name: string): string {
  return `row ${row} of column "${name.slice(0, MOST_SHOWN)}"`;
}

function columnsOf({ schema }: arrow.RecordBatch): string {
  return schema.fields.map(({ name, type }) => `${name}: ${String(type)}`).join(', ');
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  return text.slice(0, MOST_SHOWN);
}
