// Vectors of floats in fewer bytes. One line each.

import { f16Vector } from './f16Vector.ts';
import { int8Vector } from './int8Vector.ts';

export interface VectorCodec {
  encode(values: Float32Array): Uint8Array;
  /** @throws RangeError when the bytes are not as many as `length` values take. */
  decode(bytes: Uint8Array, length: number): Float32Array;
}

export const vectorCodecs = { f16: f16Vector, int8: int8Vector } as const satisfies Record<
  string,
  VectorCodec
>;
