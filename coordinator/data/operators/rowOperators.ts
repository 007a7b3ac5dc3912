// map, filter, flatMap and addColumn: functions of one row, or of a batch's columns.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import {
  batchFromRows,
  type Columns,
  columnsOf,
  dataFromArray,
} from '../../../shared/columns/batchFormats.ts';
import { DictionaryStrings } from '../../../shared/columns/dictionaryStrings.ts';
import { RowOrigin } from '../../../shared/columns/rowOrigin.ts';
import { takeRows } from '../../../shared/columns/takeRows.ts';
import type { Row } from '../../../shared/columns/valuesOf.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { UserFunctionError } from '../../../shared/columns/columnErrors.ts';
import type { Batches, Operator } from '../plan/planNode.ts';

export type RowFunction<R> = (row: Row) => R | Promise<R>;

export function mapOperator(change: RowFunction<Row>): Operator {
  return rowOperator(
    'map',
    change,
    (batch, results, origin) => (batch.numRows === 0 ? batch : batchFromRows(results, 'map', origin)),
    {
      rowCount: ([rows]) => rows,
    },
  );
}

export function flatMapOperator(change: RowFunction<readonly Row[]>): Operator {
  return rowOperator(
    'flatMap',
    change,
    (_, results, origin) => batchFromRows(results.flat(), 'flatMap', origin),
    {},
  );
}

export function filterOperator(keep: RowFunction<boolean>): Operator {
  const operator = rowOperator(
    'filter',
    keep,
    (batch, results) => {
      const indices = Int32Array.from(results.keys()).filter((row) => Boolean(results[row]));
      return indices.length === batch.numRows ? batch : takeRows(batch, indices);
    },
    {},
  );
  return { ...operator, schema: ([input]) => input };
}

/** The batch that the results of a batch's rows make, or decide. */
type BuildBatch<R> = (batch: arrow.RecordBatch, results: R[], origin: RowOrigin) => arrow.RecordBatch;

function rowOperator<R>(
  label: string,
  call: RowFunction<R>,
  build: BuildBatch<R>,
  more: Partial<Operator>,
): Operator {
  return {
    label: call.name === '' ? label : `${label} ${call.name}`,
    schema: () => undefined,
    rowCount: () => undefined,
    needs: () => undefined,
    run: ([input]) => runRows(input!, label, call, build),
    ...more,
  };
}

async function* runRows<R>(
  input: Batches,
  label: string,
  call: RowFunction<R>,
  build: BuildBatch<R>,
): AsyncGenerator<arrow.RecordBatch> {
  const strings = new DictionaryStrings();
  let firstRow = 0;
  for await (const batch of input) {
    const results: R[] = [];
    const origin = new RowOrigin(batch, strings);
    for (const [i, row] of origin.rows().entries()) {
      try {
        const result = call(row);
        results.push(result instanceof Promise ? await result : result);
      } catch (error) {
        const at = firstRow + i;
        throw new UserFunctionError(
          `${label} failed on row ${at}: ${messageOf(error)}`,
          { row: at },
          { cause: error },
        );
      }
    }
    yield build(batch, results, origin);
    firstRow += batch.numRows;
  }
}

/** Adds a column, or replaces one of the same name, from a function of the batch's columns. */
export function addColumnOperator(name: string, make: (columns: Columns) => ArrayLike<unknown>): Operator {
  const label = `addColumn ${name}`;
  return {
    label,
    schema: () => undefined,
    rowCount: ([rows]) => rows,
    needs: () => undefined,
    run: ([input]) => addColumn(input!, name, make, label),
  };
}

async function* addColumn(
  input: Batches,
  name: string,
  make: (columns: Columns) => ArrayLike<unknown>,
  label: string,
): AsyncGenerator<arrow.RecordBatch> {
  const strings = new DictionaryStrings();
  let firstRow = 0;
  for await (const batch of input) {
    let values: ArrayLike<unknown>;
    try {
      values = make(columnsOf(batch, strings).columns);
    } catch (error) {
      const where = `rows ${firstRow} to ${firstRow + batch.numRows - 1}`;
      throw new UserFunctionError(
        `${label} failed on ${where}: ${messageOf(error)}`,
        { row: firstRow, column: name },
        { cause: error },
      );
    }
    if (typeof values !== 'object' || values === null || values.length !== batch.numRows) {
      const got = typeof values === 'object' && values !== null ? `${values.length} values` : String(values);
      throw new UserFunctionError(`${label} returned ${got} for a batch of ${batch.numRows} rows.`, {
        column: name,
      });
    }
    const data = dataFromArray(values, name);
    const field = new arrow.Field(name, data.type, true);
    const fields = [...batch.schema.fields];
    const columns = [...batch.data.children];
    const index = fields.findIndex((other) => other.name === name);
    const at = index === -1 ? fields.length : index;
    fields[at] = field;
    columns[at] = data;
    yield recordBatch(new arrow.Schema(fields), columns, batch.numRows);
    firstRow += batch.numRows;
  }
}
