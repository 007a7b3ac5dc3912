// How prepared rows travel: an Arrow IPC stream of one record batch with a UInt8 column of bin codes a feature, the
// label, and where the run has them row weights and margins to start from. The coordinator writes shards once and
// names them by their hash, so the same rows must always give the same bytes; workers decode what they fetched from
// elsewhere, so nothing in a shard is taken on trust.

import {
  Field,
  Int32,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint32,
  Uint8,
  makeData,
} from 'apache-arrow';
import type { Data, DataType } from 'apache-arrow';
import type { BinnedBlock } from '../../kernels/gbdt/treeDevice.ts';
import { TabgradError } from '../errors.ts';

/** Rows of every shard but a dataset's last. */
export const ROWS_PER_SHARD = 65_536;
/** Larger shards are refused before they are parsed. */
export const MAX_SHARD_BYTES = 256 * 1024 * 1024;

const FORMAT = '1';
const MAX_ROWS = 1 << 24;
const MAX_OUTPUTS = 1024;

/** Bytes that should be a shard are not one. */
export class ShardInvalidError extends TabgradError {
  readonly code = 'SHARD_INVALID';
}

/**
 * @param block every array has `block.rows` entries (baseMargins: a multiple of it).
 * @returns the Arrow IPC stream; equal blocks give equal bytes.
 * @throws ShardInvalidError when the arrays' lengths disagree.
 */
export function encodeShard(block: BinnedBlock): Uint8Array {
  const columns: Column[] = block.bins.map((bins, feature) => column(`f${feature}`, new Uint8(), bins));
  columns.push(column('label', new Int32(), block.labels));
  if (block.weights) columns.push(column('weight', new Uint32(), block.weights));
  const outputs = block.baseMargins ? block.baseMargins.length / block.rows : 0;
  for (let output = 0; output < outputs; output++) {
    const margins = block.baseMargins?.subarray(output * block.rows, (output + 1) * block.rows);
    columns.push(column(`margin${output}`, new Int32(), margins ?? new Int32Array()));
  }
  for (const { field, data } of columns) {
    if (data.length !== block.rows) {
      throw new ShardInvalidError(
        `Column "${field.name}" of a shard has ${data.length} rows; expected ${block.rows}.`,
        { column: field.name },
      );
    }
  }
  const metadata = new Map([
    ['tabgrad.shard', FORMAT],
    ['firstRow', String(block.firstRow)],
    ['rows', String(block.rows)],
    ['features', String(block.bins.length)],
    ['weights', block.weights ? '1' : '0'],
    ['margins', String(outputs)],
  ]);
  const schema = new Schema(
    columns.map(({ field }) => field),
    metadata,
  );
  const struct = makeData({
    type: new Struct(schema.fields),
    length: block.rows,
    nullCount: 0,
    children: columns.map(({ data }) => data),
  });
  const writer = new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, struct));
  writer.finish();
  return writer.toUint8Array(true);
}

/**
 * @param bytes a whole shard. The block's arrays may be views of it.
 * @throws ShardInvalidError when the bytes are not a shard, are cut off, or contradict themselves.
 */
export function decodeShard(bytes: Uint8Array): BinnedBlock {
  if (bytes.byteLength > MAX_SHARD_BYTES) {
    throw new ShardInvalidError(
      `A shard has ${bytes.byteLength} bytes; at most ${MAX_SHARD_BYTES} are accepted.`,
    );
  }
  const batch = readOnlyBatch(bytes);
  const { schema } = batch;
  if (schema.metadata.get('tabgrad.shard') !== FORMAT) {
    throw new ShardInvalidError(`An Arrow stream is not a shard of format ${FORMAT}.`);
  }
  const firstRow = count(schema, 'firstRow', Number.MAX_SAFE_INTEGER);
  const rows = count(schema, 'rows', MAX_ROWS);
  const features = count(schema, 'features', schema.fields.length);
  const weighted = count(schema, 'weights', 1);
  const outputs = count(schema, 'margins', MAX_OUTPUTS);
  if (batch.numRows !== rows || schema.fields.length !== features + 1 + weighted + outputs) {
    throw new ShardInvalidError(
      `A shard announces ${rows} rows of ${features} features but holds ${batch.numRows} rows of ${schema.fields.length} columns.`,
    );
  }
  const bins = Array.from({ length: features }, (_, i) => values(batch, i, `f${i}`, Uint8Array));
  const labels = values(batch, features, 'label', Int32Array);
  const baseMargins = outputs > 0 ? new Int32Array(outputs * rows) : undefined;
  for (let output = 0; output < outputs; output++) {
    const at = features + 1 + weighted + output;
    baseMargins?.set(values(batch, at, `margin${output}`, Int32Array), output * rows);
  }
  return {
    firstRow,
    rows,
    bins,
    labels,
    ...(weighted ? { weights: values(batch, features + 1, 'weight', Uint32Array) } : {}),
    ...(baseMargins ? { baseMargins } : {}),
  };
}

interface Column {
  readonly field: Field;
  readonly data: Data;
}

function column(
  name: string,
  type: Uint8 | Int32 | Uint32,
  data: Uint8Array | Int32Array | Uint32Array,
): Column {
  const field = new Field(name, type as DataType, false);
  return { field, data: makeData({ type, length: data.length, nullCount: 0, data }) as Data };
}

function readOnlyBatch(bytes: Uint8Array): RecordBatch {
  // Views of 32-bit columns need the stream to begin at a multiple of eight.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  let batches: RecordBatch[];
  try {
    batches = [...RecordBatchReader.from(aligned)];
  } catch (cause) {
    throw new ShardInvalidError('A shard is not a readable Arrow IPC stream.', {}, { cause });
  }
  const [batch] = batches;
  if (batches.length !== 1 || !batch) {
    throw new ShardInvalidError(`A shard holds ${batches.length} record batches; expected one.`);
  }
  return batch;
}

function count(schema: Schema, name: string, max: number): number {
  const text = schema.metadata.get(name) ?? '';
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || value > max) {
    throw new ShardInvalidError(`A shard says ${name} = "${text}"; expected an integer from 0 to ${max}.`, {
      field: name,
    });
  }
  return value;
}

function values<T extends Uint8Array | Int32Array | Uint32Array>(
  batch: RecordBatch,
  index: number,
  name: string,
  type: abstract new (...arguments_: never[]) => T,
): T {
  const data = batch.data.children[index];
  const array: unknown = data?.values;
  if (
    batch.schema.fields[index]?.name !== name ||
    !data ||
    !(array instanceof type) ||
    data.nullCount !== 0 ||
    data.offset !== 0 ||
    array.length < batch.numRows
  ) {
    throw new ShardInvalidError(
      `Column ${index} of a shard is not "${name}" with ${batch.numRows} values of the expected type, none null.`,
      { column: name },
    );
  }
  return array.subarray(0, batch.numRows) as T;
}
