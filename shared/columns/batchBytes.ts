// A batch as bytes, in Arrow's IPC stream format: how batches travel to programs on workers and back.

import * as arrow from 'apache-arrow';
import { recordBatch } from './arrowData.ts';
import { UserFunctionError } from './columnErrors.ts';
import { concatBatches } from './concatBatches.ts';

export function bytesOfBatch(batch: arrow.RecordBatch): Uint8Array {
  return arrow.tableToIPC(new arrow.Table([withOwnDictionaries(batch)]), 'stream');
}

/** Columns of several files, or a column and what was made of it, may name different dictionaries by one number. */
function withOwnDictionaries(batch: arrow.RecordBatch): arrow.RecordBatch {
  const fields: arrow.Field[] = [];
  const columns = batch.schema.fields.map((field, index) => {
    const data = batch.data.children[index]!;
    const { type } = data;
    const own = arrow.DataType.isDictionary(type)
      ? new arrow.Dictionary(type.dictionary, type.indices, null, type.isOrdered)
      : type;
    fields.push(field.clone({ type: own }));
    return own === type ? data : data.clone(own);
  });
  return recordBatch(new arrow.Schema(fields, batch.schema.metadata), columns, batch.numRows);
}

/** @throws UserFunctionError when the bytes are no Arrow stream. */
export function batchOfBytes(bytes: Uint8Array): arrow.RecordBatch {
  try {
    return concatBatches(arrow.tableFromIPC(bytes).batches);
  } catch (cause) {
    throw new UserFunctionError('A batch does not decode.', {}, { cause });
  }
}
