// Rows of tensors as bytes: the columns one after another, each beginning at a multiple of four. The run's spec says
// what lies where, so that a shard needs no header and has exactly one length that is right.

import { TabgradError } from '../../../kernels/errors.ts';
import { elements } from '../graph/graphBuilder.ts';
import type { TensorDataset, TensorField } from './neuralSpec.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

/** Bytes that should be a shard of tensors are not one. */
class TensorShardError extends TabgradError {
  readonly code = 'SHARD_INVALID';
}

export type StoredValues = Float32Array | Int32Array | Uint8Array;

const widths = { float32: 4, int32: 4, uint8: 1 } as const;

export function fieldsOf({
  inputs,
  target,
}: Pick<TensorDataset, 'inputs' | 'target'>): readonly TensorField[] {
  return [...inputs, target];
}

function columnBytes({ shape, storage }: TensorField, rows: number): number {
  return Math.ceil((rows * elements(shape) * widths[storage]) / 4) * 4;
}

export function shardBytes(fields: readonly TensorField[], rows: number): number {
  return fields.reduce((sum, field) => sum + columnBytes(field, rows), 0);
}

/** @param columns in the order of `fields`, each with `rows` times its elements. */
export function encodeTensorShard(
  fields: readonly TensorField[],
  columns: readonly StoredValues[],
  rows: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(shardBytes(fields, rows));
  let at = 0;
  for (const [i, field] of fields.entries()) {
    const column = columns[i];
    if (column?.length !== rows * elements(field.shape)) {
      throw new TensorShardError(
        `column "${field.name}" has ${column?.length ?? 0} values; expected ${rows} rows of [${field.shape.join(', ')}]`,
        { column: field.name },
      );
    }
    bytes.set(bytesUnder(column), at);
    at += columnBytes(field, rows);
  }
  return bytes;
}

/** Views of `bytes`, in the order of `fields`. @throws TensorShardError */
export function decodeTensorShard(
  fields: readonly TensorField[],
  bytes: Uint8Array,
  rows: number,
): StoredValues[] {
  const expected = shardBytes(fields, rows);
  if (bytes.length !== expected) {
    throw new TensorShardError(`a shard of ${rows} rows has ${bytes.length} bytes; expected ${expected}`);
  }
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  let at = aligned.byteOffset;
  return fields.map((field) => {
    const length = rows * elements(field.shape);
    const place = [aligned.buffer, at, length] as const;
    at += columnBytes(field, rows);
    if (field.storage === 'uint8') return new Uint8Array(...place);
    return field.storage === 'int32' ? new Int32Array(...place) : new Float32Array(...place);
  });
}
