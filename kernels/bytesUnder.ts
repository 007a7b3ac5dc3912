// The memory of an array as bytes.

/** The bytes of the view's values, not copied: writing to them writes to the values. */
export function bytesUnder({
  buffer,
  byteOffset,
  byteLength,
}: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer>;
export function bytesUnder({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array;
export function bytesUnder({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
