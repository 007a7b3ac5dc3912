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
  const type = new arrow.Struct(schema.fields);
  const data = arrowData({ type, length: rows, nullCount: 0, children: columns });
  if (columns.some(({ length }) => length !== rows) || columns.length !== schema.fields.length)
    return new arrow.RecordBatch(schema, data as arrow.Data<arrow.Struct>);
  // The constructor looks for each column's name among all others, which takes seconds where there are thousands.
  const batch: { schema: arrow.Schema; data: arrow.Data } = new arrow.RecordBatch(
    new arrow.Schema([]),
    noColumns(),
  );
  batch.schema = schema;
  batch.data = data;
  return batch as arrow.RecordBatch;
}

function noColumns(): arrow.Data<arrow.Struct> {
  return arrowData({
    type: new arrow.Struct([]),
    length: 0,
    nullCount: 0,
    children: [],
  }) as arrow.Data<arrow.Struct>;
}

/** Rows [start, end) of the batch; they are not copied. */
export function sliceBatch(batch: arrow.RecordBatch, start: number, end: number): arrow.RecordBatch {
  const columns = batch.data.children.map((data) => data.slice(start, end - start));
  return recordBatch(batch.schema, columns, end - start);
}
