// The one place where Arrow data is made from buffers whose type is only known at run time.

import * as arrow from 'apache-arrow';

export interface ArrowBuffers {
  readonly type: arrow.DataType;
  readonly length: number;
  readonly nullCount: number;
  /** One bit a row, 1 for a value; undefined when all rows have one. */
  readonly nullBitmap?: Uint8Array | undefined;
  readonly data?: ArrayLike<number> | BigInt64Array | BigUint64Array | undefined;
  readonly valueOffsets?: Int32Array;
  readonly dictionary?: arrow.Vector;
  readonly child?: arrow.Data;
  readonly children?: readonly arrow.Data[];
}

export function arrowData(buffers: ArrowBuffers): arrow.Data {
  const make = arrow.makeData as unknown as (props: ArrowBuffers) => arrow.Data;
  return make(buffers);
}

/** A batch of columns of equal length. */
export function recordBatch(
  schema: arrow.Schema,
  columns: readonly arrow.Data[],
  rows: number,
): arrow.RecordBatch {
  const data = arrowData({
    type: new arrow.Struct(schema.fields),
    length: rows,
    nullCount: 0,
    children: columns,
  });
  return new arrow.RecordBatch(schema, data as arrow.Data<arrow.Struct>);
}
