// A vector of floats in fewer bytes.

export interface VectorCodec {
  /** That so many values take, at most. */
  mostBytes(length: number): number;
  encode(values: Float32Array): Uint8Array;
  /** @throws RangeError when the bytes are not as many as `length` values take. */
  decode(bytes: Uint8Array, length: number): Float32Array;
}
