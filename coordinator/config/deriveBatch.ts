// Computes the derived columns of one Arrow batch.

import * as arrow from 'apache-arrow';
import { arrowData, recordBatch } from '../../shared/columns/arrowData.ts';
import { bitmapOf, packBits } from '../../shared/columns/bitmap.ts';
import type { BatchColumn } from '../../shared/columns/columnBatch.ts';
import { columnFromValues } from '../../shared/columns/columnFromValues.ts';
import type { DictionaryStrings } from '../../shared/columns/dictionaryStrings.ts';
import { toColumnBatch } from '../../shared/columns/toColumnBatch.ts';
import { unknownColumn } from '../../shared/columns/columnErrors.ts';
import { ExpressionError } from './expression/configErrors.ts';
import { bindExpression, type BoundExpression } from './expression/bindExpression.ts';
import { columnsRead, type ExpressionNode } from './expression/syntaxTree.ts';

export interface DerivedColumn {
  readonly name: string;
  readonly expression: ExpressionNode;
}

/**
 * The batch with the derived columns, each at the place of the column that it replaces, or at the end.
 * @param keep the columns of the result, in order; all without it.
 * @throws ExpressionError naming the derived column whose expression does not fit its inputs.
 */
export function deriveBatch(
  batch: arrow.RecordBatch,
  derived: readonly DerivedColumn[],
  keep: readonly string[] | undefined,
  strings: DictionaryStrings,
): arrow.RecordBatch {
  const columns = new Map(batch.schema.fields.map(({ name }, i) => [name, batch.data.children[i]!]));
  const read = (name: string): BatchColumn => {
    const data = columns.get(name);
    if (data === undefined) throw unknownColumn(name, [...columns.keys()], 'the data');
    const single = recordBatch(
      new arrow.Schema([new arrow.Field(name, data.type, true)]),
      [data],
      batch.numRows,
    );
    return toColumnBatch(single, 0, strings).columns[0]!;
  };
  for (const { name, expression } of derived) {
    const inputs = new Map(columnsRead(expression).map((column) => [column, read(column)]));
    columns.set(name, fillColumn(bind(name, expression, inputs), batch.numRows));
  }
  const names = keep ?? [...columns.keys()];
  const data = names.map((name) => {
    const column = columns.get(name);
    if (column === undefined) throw unknownColumn(name, [...columns.keys()], 'the data');
    return column;
  });
  const fields = names.map((name, i) => new arrow.Field(name, data[i]!.type, true));
  return recordBatch(new arrow.Schema(fields), data, batch.numRows);
}

function bind(
  name: string,
  expression: ExpressionNode,
  inputs: ReadonlyMap<string, BatchColumn>,
): BoundExpression {
  try {
    return bindExpression(expression, (column) => inputs.get(column)!);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(
      `derive.${name}: ${error.message}`,
      { field: `derive.${name}` },
      { cause: error },
    );
  }
}

function fillColumn(bound: BoundExpression, rows: number): arrow.Data {
  if (bound.type === 'text') {
    const texts = Array.from({ length: rows }, (_, row) => bound.at(row));
    return columnFromValues(texts, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()));
  }
  const values = new Float64Array(rows);
  const valid = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const value = bound.at(row);
    values[row] = value;
    valid[row] = Number.isNaN(value) ? 0 : 1;
  }
  const { bitmap, nullCount } = bitmapOf(valid);
  const isBoolean = bound.type === 'boolean';
  return arrowData({
    type: isBoolean ? new arrow.Bool() : new arrow.Float64(),
    length: rows,
    nullCount,
    nullBitmap: nullCount === 0 ? undefined : bitmap,
    data: isBoolean ? packBits(Uint8Array.from(values)) : values,
  });
}
