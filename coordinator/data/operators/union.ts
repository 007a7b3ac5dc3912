// Datasets one after the other: columns are matched by name, and their types widened to hold both.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { castColumn, commonType } from '../../../shared/columns/castColumn.ts';
import { TypeMismatchError } from '../../../shared/columns/columnErrors.ts';
import { typeName } from '../../../shared/columns/typeName.ts';
import type { Batches, Operator } from '../plan/planNode.ts';
import type { RunContext } from '../plan/runContext.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';

/**
 * All rows of the first input, then of the second, and so on.
 * @param planned schemas of the inputs, as far as they are known without running functions; where one is not, the first
 * batch decides.
 */
export function unionOperator(
  planned: (context: RunContext) => Promise<readonly (arrow.Schema | undefined)[]>,
): Operator {
  return {
    label: 'union',
    schema: unionSchema,
    rowCount: (inputs) => inputs.reduce((total, rows) => total + rows, 0),
    needs: (wanted) => wanted,
    run: (inputs, context) => oneAfterAnother(inputs, planned, context),
  };
}

/** @throws TypeMismatchError naming the column that one of them lacks, or that no type holds. */
function unionSchema(inputs: readonly arrow.Schema[]): arrow.Schema {
  return inputs.reduce((left, right) => {
    requireSameNames(left, right);
    const fields = left.fields.map(({ name, type }) => {
      const other = right.fields.find((field) => field.name === name)!.type;
      const common = commonType(type, other);
      if (common !== undefined) return new arrow.Field(name, common, true);
      throw new TypeMismatchError(
        `union: column "${name}" holds ${typeName(type)} in one dataset and ${typeName(other)} in another.`,
        { column: name },
      );
    });
    return new arrow.Schema(fields);
  });
}

function requireSameNames(left: arrow.Schema, right: arrow.Schema): void {
  const [own, other] = [columnNames(left), columnNames(right)];
  const column = own.find((name) => !other.includes(name)) ?? other.find((name) => !own.includes(name));
  if (column === undefined) return;
  throw new TypeMismatchError(
    `union: one dataset has a column "${column}", and another has not; both must have the same columns.`,
    { column },
  );
}

async function* oneAfterAnother(
  inputs: readonly Batches[],
  planned: (context: RunContext) => Promise<readonly (arrow.Schema | undefined)[]>,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  const known = await planned(context);
  let schema: arrow.Schema | undefined;
  for (const input of inputs) {
    for await (const batch of input) {
      schema ??= startSchema(batch, known);
      if (batch.schema !== schema) requireSameNames(schema, batch.schema);
      yield ofSchema(batch, schema);
    }
  }
}

/** Of the columns that batches come with: plans read no more than is wanted. */
function startSchema(batch: arrow.RecordBatch, known: readonly (arrow.Schema | undefined)[]): arrow.Schema {
  const all = known.filter((schema) => schema !== undefined);
  if (all.length < known.length) return batch.schema;
  const names = columnNames(batch.schema);
  return new arrow.Schema(unionSchema(all).fields.filter(({ name }) => names.includes(name)));
}

function ofSchema(batch: arrow.RecordBatch, schema: arrow.Schema): arrow.RecordBatch {
  const names = columnNames(batch.schema);
  const fields: arrow.Field[] = [];
  const columns = schema.fields.map(({ name, type }) => {
    const data = batch.data.children[names.indexOf(name)]!;
    const cast = arrow.DataType.isNull(type) ? data : castColumn(data, type, name);
    fields.push(new arrow.Field(name, cast.type, true));
    return cast;
  });
  return recordBatch(new arrow.Schema(fields), columns, batch.numRows);
}
