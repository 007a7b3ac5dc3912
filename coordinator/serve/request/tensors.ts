// Tensors of the Open Inference Protocol (v2), as JSON data or as little-endian bytes after the JSON (its binary
// extension): https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol/binary-tensor-data-extension

import { sizeOf } from '../../../shared/serve/layersNet.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { ServeInputError } from './serveErrors.ts';
import { utf8Text } from '../../http/bodyText.ts';
import { numberTypes } from './tensorTypes.ts';

/** Elements in row-major order. */
type TensorValues = ArrayLike<unknown>;

/** A tensor of a request. */
export interface InputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

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
    texts.push(elementText(name, texts.length, bytes.subarray(at + 4, end)));
    at = end;
  }
  if (texts.length === count && at === bytes.byteLength) return texts;
  throw new ServeInputError(
    `Tensor "${name}" has ${bytes.byteLength} bytes that don't make up ${count} elements of BYTES, each a uint32 length and its text.`,
    { field: name },
  );
}

function elementText(name: string, element: number, bytes: Uint8Array): string {
  try {
    return utf8Text(bytes, `Element ${element} of tensor "${name}"`);
  } catch (error) {
    throw new ServeInputError(messageOf(error), { field: name });
  }
}

/**
 * Elements of a tensor in JSON: flat, or nested as its shape. null is a missing value.
 * @throws ServeInputError for elements that its datatype can not hold, or that don't make up its shape.
 */
export function readJsonTensor(
  name: string,
  datatype: string,
  data: unknown,
  shape: readonly number[],
): TensorValues {
  if (!Array.isArray(data)) {
    throw new ServeInputError(`Tensor "${name}" has no data: expected an array, or binary_data_size.`, {
      field: name,
    });
  }
  const count = sizeOf(shape);
  const flat: unknown[] = data.some(Array.isArray) ? flattened(name, data, shape) : data;
  if (flat.length !== count) {
    throw new ServeInputError(`Tensor "${name}" has ${flat.length} elements; its shape tells ${count}.`, {
      field: name,
    });
  }
  const type = numberTypes[datatype];
  return flat.map((value, element) => {
    const held = type ? type.hold(value) : typeof value === 'string' ? value : undefined;
    if (held !== undefined || value === null) return value === null ? null : held;
    throw new ServeInputError(
      `Element ${element} of tensor "${name}" is ${shown(value)}; ${datatype} holds ${type?.range ?? 'text'}.`,
      { field: name },
    );
  });
}

function flattened(name: string, data: readonly unknown[], shape: readonly number[]): unknown[] {
  const flat: unknown[] = [];
  const add = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      flat.push(value);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const found = Array.isArray(value) ? `${value.length} elements` : shown(value);
      throw new ServeInputError(
        `Tensor "${name}" has shape [${shape.join()}], and its data has ${found} where axis ${axis} tells ${shape[axis]}.`,
        { field: name },
      );
    }
    for (const item of value) add(item, axis + 1);
  };
  add(data, 0);
  return flat;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'an array' : value === undefined ? 'nothing' : 'an object';
}
