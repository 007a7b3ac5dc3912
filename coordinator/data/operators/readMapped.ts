// A batch that a worker says it has mapped: it is another's machine, so what comes back is measured before it is believed.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../../../shared/columns/arrowData.ts';
import { batchOfBytes } from '../../../shared/columns/ipc/batchBytes.ts';
import { columnOf } from '../../../shared/columns/concatBatches.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { PredictedColumns } from '../../program/program.ts';
import { WorkerAnswerError } from '../../program/workerAnswer.ts';
import { columnNames } from '../../../shared/columns/columnNames.ts';

/**
 * @param given what the worker was sent. @param predicts where the program is one of tabgrad's predictors.
 * @throws WorkerAnswerError naming what does not fit.
 */
export function readMapped(
  value: unknown,
  given: arrow.RecordBatch,
  predicts: PredictedColumns | undefined,
): arrow.RecordBatch {
  if (!(value instanceof Uint8Array)) throw wrong(`${typeof value}; expected a batch in Arrow's IPC format`);
  const mapped = decoded(value);
  const { numRows } = mapped;
  // A row takes a bit at least, unless no column has a value.
  const most = Math.max(given.numRows, 8 * value.byteLength);
  if (numRows > most) throw wrong(`${numRows} rows in ${value.byteLength} bytes`);
  for (const [index, { name }] of mapped.schema.fields.entries())
    checkColumn(mapped.data.children[index], name, numRows);
  return predicts ? predictions(mapped, given, predicts) : mapped;
}

function wrong(what: string): WorkerAnswerError {
  return new WorkerAnswerError(`The worker answers with ${what}.`);
}

function decoded(bytes: Uint8Array): arrow.RecordBatch {
  try {
    return batchOfBytes(bytes);
  } catch (error) {
    throw wrong(`what is no batch: ${messageOf(error)}`);
  }
}

/** As many values as rows, and no text beyond the bytes that came. */
function checkColumn(column: arrow.Data | undefined, name: string, rows: number): void {
  if (column?.length !== rows)
    throw wrong(`${column?.length ?? 'no'} values in column "${name}" of ${rows} rows`);
  const { type, values, valueOffsets: offsets } = column;
  if (arrow.DataType.isUtf8(type) || arrow.DataType.isBinary(type)) {
    let before = 0;
    for (let row = 0; row <= rows; row += 1) {
      const offset = Number(offsets[row] ?? Infinity);
      if (offset < before || offset > values.length)
        throw wrong(`text of column "${name}" that is not there`);
      before = offset;
    }
    return;
  }
  const isPlain = arrow.DataType.isInt(type) || arrow.DataType.isFloat(type);
  if (isPlain && values.length < rows)
    throw wrong(`${values.length} numbers in column "${name}" of ${rows} rows`);
}

/** Columns that are kept are taken from what was sent: the worker has no say in them. */
function predictions(
  mapped: arrow.RecordBatch,
  given: arrow.RecordBatch,
  { outputs, keepColumns, areFinite }: PredictedColumns,
): arrow.RecordBatch {
  const rows = given.numRows;
  if (mapped.numRows !== rows) throw wrong(`predictions for ${mapped.numRows} rows; expected ${rows}`);
  const present = columnNames(given.schema);
  const kept = keepColumns === true ? present : keepColumns === false ? [] : keepColumns;
  // A prediction takes the place of a column of its name.
  const names = [...new Set([...kept, ...outputs])];
  const found = columnNames(mapped.schema);
  if (found.join('\n') !== names.join('\n'))
    throw wrong(`columns ${found.slice(0, 20).join(', ')}; expected ${names.slice(0, 20).join(', ')}`);
  const isOutput = new Set(outputs);
  const fields: arrow.Field[] = [];
  const columns = names.map((name) => {
    const column = columnOf(isOutput.has(name) ? mapped : given, name);
    if (isOutput.has(name)) checkOutput(column, name, areFinite);
    fields.push(new arrow.Field(name, column.type, true));
    return column;
  });
  return recordBatch(new arrow.Schema(fields), columns, rows);
}

function checkOutput(column: arrow.Data, name: string, areFinite: boolean): void {
  const values: unknown = column.values;
  const isFloat = values instanceof Float32Array && arrow.DataType.isFloat(column.type);
  if (!isFloat || column.nullCount > 0)
    throw wrong(`predictions in column "${name}" that are no float32 numbers`);
  if (areFinite && !values.subarray(0, column.length).every((one) => Number.isFinite(one)))
    throw wrong(`predictions in column "${name}" that are not finite`);
}
