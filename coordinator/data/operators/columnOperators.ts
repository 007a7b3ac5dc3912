// Operators that choose and rename columns without looking at rows.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { requireColumns } from '../../../shared/columns/columnErrors.ts';
import { DataArgumentError } from '../plan/dataErrors.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import { columnNames, columnIndexes, selectFields } from '../../../shared/columns/columnNames.ts';

/** Keeps the named columns, in the given order. */
export function selectOperator(columns: readonly string[]): Operator {
  requireDistinct(columns, 'selectColumns');
  return {
    label: `select ${columns.join(', ')}`,
    schema: ([input]) => selectFields(input!, columns, 'the dataset'),
    rowCount: ([rows]) => rows,
    needs: () => columns,
    narrow: (wanted) => selectOperator(columns.filter((name) => wanted.includes(name))),
    run: ([input]) => mapSchema(input!, (schema) => selectFields(schema, columns, 'the dataset')),
  };
}

export function dropOperator(columns: readonly string[]): Operator {
  const rest = (schema: arrow.Schema) => {
    requireColumns(columns, columnNames(schema), 'the dataset');
    return new arrow.Schema(schema.fields.filter(({ name }) => !columns.includes(name)));
  };
  return {
    label: `drop ${columns.join(', ')}`,
    schema: ([input]) => rest(input!),
    rowCount: ([rows]) => rows,
    needs: (wanted) => wanted,
    narrow: selectOperator,
    run: ([input]) => mapSchema(input!, rest),
  };
}

/** @param names old name to new. */
export function renameOperator(names: ReadonlyMap<string, string>): Operator {
  const back = new Map(Array.from(names, ([from, to]) => [to, from]));
  const renamed = (schema: arrow.Schema) => {
    requireColumns([...names.keys()], columnNames(schema), 'the dataset');
    requireDistinct(
      columnNames(schema).map((name) => names.get(name) ?? name),
      'renameColumns',
    );
    return new arrow.Schema(
      schema.fields.map((field) => field.clone({ name: names.get(field.name) ?? field.name })),
    );
  };
  return {
    label: `rename ${Array.from(names, ([from, to]) => `${from} to ${to}`).join(', ')}`,
    schema: ([input]) => renamed(input!),
    rowCount: ([rows]) => rows,
    needs: (wanted) => wanted?.map((name) => back.get(name) ?? name),
    narrow: (wanted) => renameOperator(new Map([...names].filter(([, to]) => wanted.includes(to)))),
    run: ([input]) => renameBatches(input!, renamed),
  };
}

/** Rows have one value of a name. @throws DataArgumentError */
export function requireDistinct(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name))
      throw new DataArgumentError(`${what} gives two columns named "${name}"; names must differ.`, {
        column: name,
      });
    seen.add(name);
  }
}

async function* mapSchema(
  input: Batches,
  change: (schema: arrow.Schema) => arrow.Schema,
): AsyncGenerator<arrow.RecordBatch> {
  for await (const batch of input) {
    const schema = change(batch.schema);
    const indexes = columnIndexes(batch.schema);
    const columns = schema.fields.map(({ name }) => batch.data.children[indexes.get(name)!]!);
    yield recordBatch(schema, columns, batch.numRows);
  }
}

async function* renameBatches(
  input: Batches,
  renamed: (schema: arrow.Schema) => arrow.Schema,
): AsyncGenerator<arrow.RecordBatch> {
  for await (const batch of input)
    yield recordBatch(renamed(batch.schema), batch.data.children, batch.numRows);
}
