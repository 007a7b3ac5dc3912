// How prepared rows travel: an Arrow IPC stream of one record batch with a UInt8 column of bin codes a feature, label and
// weight as the data has them, and where the run goes on from a model the margins to start from. The coordinator writes shards once and
// names them by their hash, so the same rows must always give the same bytes.
//
// Workers decode what they fetched from elsewhere, and Arrow's reader loops and allocates for ever on hostile
// metadata (one flipped bit is enough). So a shard says its shape in a fixed trailer behind the stream, where Arrow's
// readers don't look; the decoder bounds it, lays out an empty shard of that shape and reads at the same places.

import {
  Field,
  Float32,
  Int32,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint8,
  makeData,
} from 'apache-arrow';
import type { Data, DataType } from 'apache-arrow';
import { TabgradError } from '../errors.ts';

/** Rows of every shard but a dataset's last. */
export const ROWS_PER_SHARD = 65_536;
/** Larger shards are refused before they are parsed. */
const MAX_SHARD_BYTES = 256 * 1024 * 1024;

/** "TGS2". */
const MAGIC = 0x54475332;
const TRAILER_BYTES = 32;
/** A field of Arrow's schema is longer than this. */
const MIN_FIELD_BYTES = 32;

/** Bytes that should be a shard are not one. */
export class ShardInvalidError extends TabgradError {
  readonly code = 'SHARD_INVALID';
}

/** Consecutive rows of a dataset as they are prepared: the same for trees and for metrics, whatever scales a run has. */
export interface ShardRows {
  /** Global row id of the first row. */
  readonly firstRow: number;
  readonly rows: number;
  /** As in BinnedBlock. */
  readonly bins: readonly Uint8Array[];
  /** A class, or the value to predict. */
  readonly labels: Float32Array;
  /** Without scale_pos_weight; undefined when all rows weigh the same. */
  readonly weights?: Float32Array;
  /** As in BinnedBlock. */
  readonly baseMargins?: Int32Array;
}

/**
 * @param block every array has `block.rows` entries (baseMargins: a multiple of it).
 * @returns the Arrow IPC stream; equal blocks give equal bytes.
 * @throws ShardInvalidError when the arrays' lengths disagree.
 */
export function encodeShard(block: ShardRows): Uint8Array {
  const columns: Column[] = block.bins.map((bins, feature) => column(`f${feature}`, new Uint8(), bins));
  columns.push(column('label', new Float32(), block.labels));
  if (block.weights) columns.push(column('weight', new Float32(), block.weights));
  const outputs = block.baseMargins ? block.baseMargins.length / block.rows : 0;
  for (let output = 0; output < outputs; output++) {
    const margins = block.baseMargins?.subarray(output * block.rows, (output + 1) * block.rows);
    columns.push(column(`margin${output}`, new Int32(), margins ?? new Int32Array()));
  }
  if (block.rows < 1 || !Number.isInteger(outputs)) {
    throw new ShardInvalidError(
      `A shard of ${block.rows} rows with ${block.baseMargins?.length ?? 0} margins can not be written.`,
    );
  }
  for (const { field, data } of columns) {
    if (data.length !== block.rows) {
      throw new ShardInvalidError(
        `Column "${field.name}" of a shard has ${data.length} rows; expected ${block.rows}.`,
        { column: field.name },
      );
    }
  }
  const metadata = new Map([['firstRow', String(block.firstRow)]]);
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
  const stream = writer.toUint8Array(true);
  const shard = new Uint8Array(stream.length + TRAILER_BYTES);
  shard.set(stream);
  writeTrailer(new DataView(shard.buffer, stream.length), {
    firstRow: block.firstRow,
    rows: block.rows,
    features: block.bins.length,
    weighted: block.weights ? 1 : 0,
    outputs,
  });
  return shard;
}

/**
 * @param bytes a whole shard. The block's arrays may be views of it.
 * @throws ShardInvalidError when the bytes are not a shard, or are not as long as a shard of their shape is.
 */
export function decodeShard(bytes: Uint8Array): ShardRows {
  const shape = readShape(bytes);
  const { rows, features, weighted, outputs } = shape;
  const empty = encodeShard({
    firstRow: shape.firstRow,
    rows,
    bins: Array.from({ length: features }, () => new Uint8Array(rows)),
    labels: new Float32Array(rows),
    ...(weighted ? { weights: new Float32Array(rows) } : {}),
    ...(outputs > 0 ? { baseMargins: new Int32Array(rows * outputs) } : {}),
  });
  if (empty.length !== bytes.length) {
    throw new ShardInvalidError(
      `A shard of ${rows} rows and ${features} features has ${bytes.length} bytes; expected ${empty.length}.`,
    );
  }
  // Views of 32-bit columns need the stream to begin at a multiple of four.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const [batch] = RecordBatchReader.from(empty);
  const offsetOf = (index: number): number => {
    const values = batch?.data.children[index]?.values as Uint8Array;
    return aligned.byteOffset + values.byteOffset - empty.byteOffset;
  };
  const bins = Array.from(
    { length: features },
    (_, feature) => new Uint8Array(aligned.buffer, offsetOf(feature), rows),
  );
  const baseMargins = new Int32Array(rows * outputs);
  for (let output = 0; output < outputs; output++) {
    const at = offsetOf(features + 1 + weighted + output);
    baseMargins.set(new Int32Array(aligned.buffer, at, rows), output * rows);
  }
  return {
    firstRow: shape.firstRow,
    rows,
    bins,
    labels: new Float32Array(aligned.buffer, offsetOf(features), rows),
    ...(weighted ? { weights: new Float32Array(aligned.buffer, offsetOf(features + 1), rows) } : {}),
    ...(outputs > 0 ? { baseMargins } : {}),
  };
}

interface Column {
  readonly field: Field;
  readonly data: Data;
}

function column(
  name: string,
  type: Uint8 | Int32 | Float32,
  data: Uint8Array | Int32Array | Float32Array,
): Column {
  const field = new Field(name, type as DataType, false);
  return { field, data: makeData({ type: type as Uint8, length: data.length, nullCount: 0, data }) as Data };
}

/** What the trailer says: ASCII "TGS2", then these as little-endian u32; firstRow as f64 so that it may pass 2^32. */
interface ShardShape {
  readonly firstRow: number;
  readonly rows: number;
  readonly features: number;
  readonly weighted: number;
  readonly outputs: number;
}

function writeTrailer(view: DataView, shape: ShardShape): void {
  view.setUint32(0, MAGIC);
  view.setUint32(4, shape.rows, true);
  view.setFloat64(8, shape.firstRow, true);
  view.setUint32(16, shape.features, true);
  view.setUint32(20, shape.weighted, true);
  view.setUint32(24, shape.outputs, true);
}

function readShape(bytes: Uint8Array): ShardShape {
  if (bytes.byteLength > MAX_SHARD_BYTES) {
    throw new ShardInvalidError(
      `A shard has ${bytes.byteLength} bytes; at most ${MAX_SHARD_BYTES} are accepted.`,
    );
  }
  const at = bytes.byteLength - TRAILER_BYTES;
  const view = at < 0 ? undefined : new DataView(bytes.buffer, bytes.byteOffset + at, TRAILER_BYTES);
  if (!view || view.getUint32(0) !== MAGIC) {
    throw new ShardInvalidError(`${bytes.byteLength} bytes do not end as a shard ends: cut off or foreign.`);
  }
  const shape = {
    firstRow: view.getFloat64(8, true),
    rows: view.getUint32(4, true),
    features: view.getUint32(16, true),
    weighted: view.getUint32(20, true),
    outputs: view.getUint32(24, true),
  };
  // A column takes a byte a row at least, so this bounds what the decoder allocates by what has arrived.
  const sizeBytes = shape.rows * (shape.features + 4 + 4 * shape.weighted + 4 * shape.outputs);
  const columns = shape.features + shape.outputs;
  if (
    !Number.isSafeInteger(shape.firstRow) ||
    shape.firstRow < 0 ||
    shape.rows < 1 ||
    shape.weighted > 1 ||
    sizeBytes > at ||
    columns * MIN_FIELD_BYTES > at
  ) {
    throw new ShardInvalidError(`A shard of ${bytes.byteLength} bytes says ${JSON.stringify(shape)}.`);
  }
  return shape;
}
