// A batch as bytes, in Arrow's IPC stream format: how batches travel to programs on workers and back.

import * as arrow from 'apache-arrow';
import { UserFunctionError } from './columnErrors.ts';
import { concatBatches } from './concatBatches.ts';

export function bytesOfBatch(batch: arrow.RecordBatch): Uint8Array {
  return arrow.tableToIPC(new arrow.Table([batch]), 'stream');
}

/** @throws UserFunctionError when the bytes are no Arrow stream. */
export function batchOfBytes(bytes: Uint8Array): arrow.RecordBatch {
  try {
    return concatBatches(arrow.tableFromIPC(bytes).batches);
  } catch (cause) {
    throw new UserFunctionError('A batch does not decode.', {}, { cause });
  }
}
