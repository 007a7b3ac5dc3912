// A batch as bytes, in Arrow's IPC stream format: how batches travel to programs on workers and back.

import * as arrow from 'apache-arrow';
import { recordBatch } from '../arrowData.ts';
import { UnsupportedDataError, UserFunctionError } from '../columnErrors.ts';
import { concatBatches, emptyBatch } from '../concatBatches.ts';
import { ipcBatches } from './ipcBatches.ts';
import { IpcDecoder } from './ipcDecoder.ts';

/** Values that are not in the bytes themselves (views, and values of no bytes) may take this many times the bytes. */
const MAX_EXPANSION = 32;
const MIN_LIMIT_BYTES = 64 * 1024 * 1024;

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

/** @throws UserFunctionError when the bytes are no Arrow stream, or claim what is not in them. */
export function batchOfBytes(bytes: Uint8Array): arrow.RecordBatch {
  try {
    const decoder = new IpcDecoder({
      unpack: refuseCompression,
      hold: requireProportion,
      checkText: () => undefined,
    });
    const batches = batchesOf(bytes, decoder);
    return batches.length > 0 ? concatBatches(batches) : emptyBatch(decoder.schema ?? new arrow.Schema([]));
  } catch (cause) {
    throw new UserFunctionError('A batch does not decode.', {}, { cause });
  }
}

function batchesOf(bytes: Uint8Array, decoder: IpcDecoder): arrow.RecordBatch[] {
  const batches: arrow.RecordBatch[] = [];
  let at = 0;
  const steps = ipcBatches(decoder, () => bytes.length - at);
  for (let step = steps.next(); step.done !== true;) {
    if (typeof step.value === 'number') {
      at += step.value;
      step = steps.next(bytes.subarray(at - step.value, at));
    } else {
      batches.push(step.value);
      step = steps.next();
    }
  }
  return batches;
}

function refuseCompression(): never {
  throw new UnsupportedDataError('Batches between tabgrad and its workers are not compressed.');
}

function requireProportion(taken: number, what: string, bodyBytes: number): void {
  if (taken > Math.max(MIN_LIMIT_BYTES, MAX_EXPANSION * bodyBytes))
    throw new Error(`${what} would take too much memory`);
}
