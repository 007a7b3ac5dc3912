// Element-wise sums, minima and maxima. Float32 sums are rounded after every addition and integers wrap, both by
// storing into the typed array, so that equal operands in equal order give equal bits on every engine.

import type { NumericArray, ReduceOperation } from '../../shared/collective/collective.ts';
import type { ElementType } from '../../shared/wire/frame.ts';

/** target[i] = target[i] ∘ operand[i]. Both have the same type and length. */
export function combineInto(target: NumericArray, operand: NumericArray, operation: ReduceOperation): void {
  const length = target.length;
  switch (operation) {
    case 'sum':
      for (let i = 0; i < length; i += 1) target[i] = (target[i] as number) + (operand[i] as number);
      return;
    case 'min':
      for (let i = 0; i < length; i += 1) target[i] = Math.min(target[i] as number, operand[i] as number);
      return;
    case 'max':
      for (let i = 0; i < length; i += 1) target[i] = Math.max(target[i] as number, operand[i] as number);
  }
}

export function elementTypeOf(data: NumericArray): ElementType {
  if (data instanceof Float64Array) return 'f64';
  if (data instanceof Float32Array) return 'f32';
  return data instanceof Int32Array ? 'i32' : 'u32';
}

/** The bytes under elements [start, end) of `data`, without copying. */
export function bytesOf(data: NumericArray, start = 0, end = data.length): Uint8Array {
  const width = data.BYTES_PER_ELEMENT;
  return new Uint8Array(data.buffer, data.byteOffset + start * width, (end - start) * width);
}

/** The same elements as `like`'s type; copies only where the bytes are not aligned for it. */
export function elementsOf<T extends NumericArray>(bytes: Uint8Array, like: T): T {
  const width = like.BYTES_PER_ELEMENT;
  const source = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const make = like.constructor as new (buffer: ArrayBufferLike, byteOffset: number, length: number) => T;
  return new make(source.buffer, source.byteOffset, bytes.length / width);
}

/** A zeroed array of `like`'s type. */
export function emptyLike<T extends NumericArray>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}
