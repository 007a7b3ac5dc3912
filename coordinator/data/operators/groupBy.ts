// groupBy and its aggregates: one pass, a few numbers per group in memory.

import type * as arrow from 'apache-arrow';
import { batchFromRows } from '../../../shared/columns/batchFormats.ts';
import { columnOf } from '../../../shared/columns/concatBatches.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import { type Row, valuesOf } from '../../../shared/columns/valuesOf.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import { namesOf } from './columnOperators.ts';

export interface Aggregate {
  readonly kind: 'sum' | 'min' | 'max' | 'mean' | 'std' | 'count';
  /** Undefined for a count of rows. */
  readonly column: string | undefined;
}

/** Numbers of one group and column; mean and squared deviations by Welford's update. */
interface Moments {
  count: number;
  sum: number;
  mean: number;
  squares: number;
  min: unknown;
  max: unknown;
}

/** As Ray names them: `sum(x)`, `count()`. */
function aggregateName({ kind, column }: Aggregate): string {
  return `${kind}(${column ?? ''})`;
}

/**
 * One row a group, sorted by the keys (missing last), with `kind(column)` columns. Missing values are left out.
 * std is the sample's (ddof 1), missing for fewer than two values.
 * @throws TypeMismatchError when sum, mean or std meet what is not a number.
 */
export function groupByOperator(keys: readonly string[], aggregates: readonly Aggregate[]): Operator {
  const columns = [...new Set([...keys, ...aggregates.flatMap(({ column }) => column ?? [])])];
  return {
    label: `groupBy ${keys.join(', ')}: ${aggregates.map(aggregateName).join(', ')}`,
    schema: () => undefined,
    rowCount: () => undefined,
    // Without any column there would be no rows to count.
    needs: () => (columns.length === 0 ? undefined : columns),
    run: ([input]) => aggregate(input!, keys, aggregates),
  };
}

async function* aggregate(
  input: Batches,
  keys: readonly string[],
  aggregates: readonly Aggregate[],
): AsyncGenerator<arrow.RecordBatch> {
  const groups = new Map<string, { readonly key: unknown[]; readonly moments: Moments[] }>();
  const strings = new DictionaryStrings();
  for await (const batch of input) {
    const valuesIn = (name: string): unknown[] => {
      requireColumns([name], namesOf(batch.schema), 'the dataset');
      return valuesOf(columnOf(batch, name), strings);
    };
    const keyValues = keys.map(valuesIn);
    const values = aggregates.map(({ column }) => (column === undefined ? undefined : valuesIn(column)));
    for (let row = 0; row < batch.numRows; row++) {
      const key = keyValues.map((column) => column[row]);
      const id = key
        .map((value) => `${typeof value}:${String(value instanceof Date ? value.getTime() : value)}`)
        .join('\u0000');
      let group = groups.get(id);
      if (group === undefined) {
        group = { key, moments: aggregates.map(newMoments) };
        groups.set(id, group);
      }
      for (const [a, own] of aggregates.entries()) {
        add(group.moments[a]!, values[a] === undefined ? 1 : values[a][row], own, batch);
      }
    }
  }
  const sorted = [...groups.values()].sort((a, b) => compareKeys(a.key, b.key));
  const rows = sorted.map(({ key, moments }): Row => {
    const row: Row = {};
    for (const [k, name] of keys.entries()) row[name] = key[k];
    for (const [a, own] of aggregates.entries()) row[aggregateName(own)] = resultOf(own.kind, moments[a]!);
    return row;
  });
  if (rows.length > 0) yield batchFromRows(rows, 'groupBy');
}

function newMoments(): Moments {
  return { count: 0, sum: 0, mean: 0, squares: 0, min: undefined, max: undefined };
}

function add(moments: Moments, value: unknown, { kind, column }: Aggregate, batch: arrow.RecordBatch): void {
  if (value === null || value === undefined) return;
  moments.count++;
  if (kind === 'count') return;
  if (kind === 'min' || kind === 'max') {
    if (moments.min === undefined || (value as number) < (moments.min as number)) moments.min = value;
    if (moments.max === undefined || (value as number) > (moments.max as number)) moments.max = value;
    return;
  }
  const number = typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number') {
    const type = typeName(columnOf(batch, column!).type);
    throw new TypeMismatchError(`${kind} needs numbers; column "${column}" holds ${type}.`, {
      column: column!,
    });
  }
  moments.sum += number;
  const delta = number - moments.mean;
  moments.mean += delta / moments.count;
  moments.squares += delta * (number - moments.mean);
}

function resultOf(kind: Aggregate['kind'], moments: Moments): unknown {
  if (kind === 'count') return moments.count;
  if (moments.count === 0) return null;
  switch (kind) {
    case 'sum':
      return moments.sum;
    case 'mean':
      return moments.sum / moments.count;
    case 'std':
      return moments.count < 2 ? null : Math.sqrt(moments.squares / (moments.count - 1));
    case 'min':
      return moments.min;
    case 'max':
      return moments.max;
    default:
      return kind satisfies never;
  }
}

function compareKeys(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [i, x] of a.entries()) {
    const y = b[i];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if ((x as number) < (y as number)) return -1;
    else if ((x as number) > (y as number)) return 1;
  }
  return 0;
}
