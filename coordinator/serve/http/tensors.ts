// Tensors of the Open Inference Protocol (v2), as JSON data or as little-endian bytes after the JSON (its binary
// extension): https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol/binary-tensor-data-extension

import { ServeInputError } from '../serveErrors.ts';

/** Elements in row-major order. */
export type TensorValues = ArrayLike<unknown>;

interface NumberType {
  readonly sizeBytes: number;
  read(view: DataView, offset: number): number | boolean;
}

const numberTypes: Readonly<Record<string, NumberType>> = {
  BOOL: { sizeBytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  UINT8: { sizeBytes: 1, read: (view, at) => view.getUint8(at) },
  UINT16: { sizeBytes: 2, read: (view, at) => view.getUint16(at, true) },
  UINT32: { sizeBytes: 4, read: (view, at) => view.getUint32(at, true) },
  UINT64: { sizeBytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  INT8: { sizeBytes: 1, read: (view, at) => view.getInt8(at) },
  INT16: { sizeBytes: 2, read: (view, at) => view.getInt16(at, true) },
  INT32: { sizeBytes: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { sizeBytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  FP32: { sizeBytes: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { sizeBytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

export const tensorTypes: readonly string[] = [...Object.keys(numberTypes), 'BYTES'];

/**
 * Elements of a tensor that came as bytes. BYTES elements are text in UTF-8, each after its length (uint32).
 * @throws ServeInputError when the bytes don't make up `count` elements.
 */
export function readBinaryTensor(
  name: string,
  datatype: string,
  bytes: Uint8Array,
  count: number,
): TensorValues {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (datatype === 'BYTES') return readTexts(name, bytes, view, count);
  const type = numberTypes[datatype]!;
  if (bytes.byteLength !== count * type.sizeBytes) {
    throw new ServeInputError(
      `Tensor "${name}" has ${bytes.byteLength} bytes; ${count} elements of ${datatype} are ${count * type.sizeBytes}.`,
      { field: name },
    );
  }
  return Array.from({ length: count }, (_, i) => type.read(view, i * type.sizeBytes));
}

function readTexts(name: string, bytes: Uint8Array, view: DataView, count: number): string[] {
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count && at + 4 <= bytes.byteLength) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.byteLength) break;
    texts.push(Buffer.from(bytes.buffer, bytes.byteOffset + at + 4, end - at - 4).toString('utf8'));
    at = end;
  }
  if (texts.length === count && at === bytes.byteLength) return texts;
  throw new ServeInputError(
    `Tensor "${name}" has ${bytes.byteLength} bytes that don't make up ${count} elements of BYTES, each a uint32 length and its text.`,
    { field: name },
  );
}

/** A shape has eight sizes at most. */
const MAX_NESTING = 7;

/** Elements of a tensor in JSON: flat or nested as its shape. */
export function readJsonTensor(name: string, data: unknown, count: number): TensorValues {
  if (!Array.isArray(data)) {
    throw new ServeInputError(`Tensor "${name}" has no data: expected an array, or binary_data_size.`, {
      field: name,
    });
  }
  const flat: unknown[] = data.flat(MAX_NESTING);
  if (flat.length !== count) {
    throw new ServeInputError(`Tensor "${name}" has ${flat.length} elements; its shape tells ${count}.`, {
      field: name,
    });
  }
  return flat;
}
