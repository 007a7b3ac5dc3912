// How prepared rows travel: a header that says the shape, then label and weight as the data has them, where the run goes
// on from a model the margins to start from, and a byte a row and feature of bin codes; column after column, little
// endian. The coordinator writes shards once and names them by their hash, so the same rows must always give the same
// bytes. The header fixes the length, so a worker takes no more memory than what has arrived, and arrays are views of it.

import { TabgradError } from '../../kernels/errors.ts';

/** Rows of every shard but a dataset's last, unless the table is wide. */
export const ROWS_PER_SHARD = 65_536;
/** Larger shards are refused before they are parsed. */
const MAX_SHARD_BYTES = 256 * 1024 * 1024;

/** "TGS2". */
const MAGIC = 0x54475332;
const HEADER_BYTES = 32;

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
 * @returns equal bytes for equal blocks.
 * @throws ShardInvalidError when the arrays' lengths disagree.
 */
export function encodeShard(block: ShardRows): Uint8Array {
  const { firstRow, rows, bins, labels, weights, baseMargins } = block;
  const outputs = baseMargins ? baseMargins.length / rows : 0;
  if (rows < 1 || !Number.isInteger(outputs)) {
    throw new ShardInvalidError(
      `A shard of ${rows} rows with ${baseMargins?.length ?? 0} margins can not be written.`,
    );
  }
  checkLength('label', labels, rows);
  if (weights) checkLength('weight', weights, rows);
  bins.forEach((column, feature) => checkLength(`f${feature}`, column, rows));
  const shape = { firstRow, rows, features: bins.length, weighted: weights ? 1 : 0, outputs };
  const shard = new Uint8Array(shardBytes(shape));
  writeHeader(new DataView(shard.buffer), shape);
  const parts = placeColumns(shard, shape);
  parts.labels.set(labels);
  if (weights) parts.weights?.set(weights);
  if (baseMargins) parts.baseMargins?.set(baseMargins);
  bins.forEach((column, feature) => parts.bins[feature]!.set(column));
  return shard;
}

/**
 * @param bytes a whole shard. The block's arrays may be views of it.
 * @throws ShardInvalidError when the bytes are not a shard, or are not as long as a shard of their shape is.
 */
export function decodeShard(bytes: Uint8Array): ShardRows {
  const shape = readHeader(bytes);
  // Views of 32-bit columns need the bytes to begin at a multiple of four.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return { firstRow: shape.firstRow, rows: shape.rows, ...placeColumns(aligned, shape) };
}

function checkLength(name: string, { length }: ArrayLike<number>, rows: number): void {
  if (length === rows) return;
  throw new ShardInvalidError(`Column "${name}" of a shard has ${length} rows; expected ${rows}.`, {
    column: name,
  });
}

/** What the header says: ASCII "TGS2", then these as little-endian u32; firstRow as f64 so that it may pass 2^32. */
interface ShardShape {
  readonly firstRow: number;
  readonly rows: number;
  readonly features: number;
  readonly weighted: number;
  readonly outputs: number;
}

function shardBytes({ rows, features, weighted, outputs }: ShardShape): number {
  return HEADER_BYTES + rows * (4 + 4 * weighted + 4 * outputs + features);
}

/** Views of the columns of a shard. */
function placeColumns(
  { buffer, byteOffset }: Uint8Array,
  { rows, features, weighted, outputs }: ShardShape,
): Omit<ShardRows, 'firstRow' | 'rows'> {
  let at = byteOffset + HEADER_BYTES;
  const take = (count: number): number => (at += count) - count;
  return {
    labels: new Float32Array(buffer, take(4 * rows), rows),
    ...(weighted ? { weights: new Float32Array(buffer, take(4 * rows), rows) } : {}),
    ...(outputs > 0 ? { baseMargins: new Int32Array(buffer, take(4 * rows * outputs), rows * outputs) } : {}),
    bins: Array.from({ length: features }, () => new Uint8Array(buffer, take(rows), rows)),
  };
}

function writeHeader(view: DataView, shape: ShardShape): void {
  view.setUint32(0, MAGIC);
  view.setUint32(4, shape.rows, true);
  view.setFloat64(8, shape.firstRow, true);
  view.setUint32(16, shape.features, true);
  view.setUint32(20, shape.weighted, true);
  view.setUint32(24, shape.outputs, true);
}

function readHeader(bytes: Uint8Array): ShardShape {
  if (bytes.byteLength > MAX_SHARD_BYTES) {
    throw new ShardInvalidError(
      `A shard has ${bytes.byteLength} bytes; at most ${MAX_SHARD_BYTES} are accepted.`,
    );
  }
  const isLongEnough = bytes.byteLength >= HEADER_BYTES;
  const view = isLongEnough ? new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES) : undefined;
  if (!view || view.getUint32(0) !== MAGIC) {
    throw new ShardInvalidError(
      `${bytes.byteLength} bytes do not begin as a shard begins: cut off or foreign.`,
    );
  }
  const shape = {
    firstRow: view.getFloat64(8, true),
    rows: view.getUint32(4, true),
    features: view.getUint32(16, true),
    weighted: view.getUint32(20, true),
    outputs: view.getUint32(24, true),
  };
  const isShape =
    Number.isSafeInteger(shape.firstRow) && shape.firstRow >= 0 && shape.rows >= 1 && shape.weighted <= 1;
  if (!isShape || shardBytes(shape) !== bytes.byteLength) {
    throw new ShardInvalidError(`A shard of ${bytes.byteLength} bytes says ${JSON.stringify(shape)}.`);
  }
  return shape;
}
