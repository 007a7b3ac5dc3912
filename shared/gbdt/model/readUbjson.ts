// Universal Binary JSON as XGBoost writes it (https://ubjson.org, draft 12; XGBoost: src/common/json.cc, UBJReader). Nothing
// in it is trusted: a size is compared with the bytes that are left before memory is taken for it, and depth is bounded.

import { ModelFormatError } from '../errors/gbdtErrors.ts';
import { setMember } from '../../memberOf.ts';
import type { NumberArray } from './modelFields.ts';

/** Models are 8 deep. */
const MAX_DEPTH = 64;
/** Values that are not in lists of one type: each takes more memory than bytes of the file. A tree has about 25. */
const MAX_VALUES = 1 << 25;

/** Bytes and reading of numbers by their marker; big endian. */
const numbers: Readonly<
  Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]>
> = {
  i: [1, (view, at) => view.getInt8(at)],
  U: [1, (view, at) => view.getUint8(at)],
  I: [2, (view, at) => view.getInt16(at)],
  l: [4, (view, at) => view.getInt32(at)],
  // Beyond 2^53 the nearest double.
  L: [8, (view, at) => Number(view.getBigInt64(at))],
  d: [4, (view, at) => view.getFloat32(at)],
  D: [8, (view, at) => view.getFloat64(at)],
};
const integers = 'iUIlL';
const arraysOf: Readonly<Record<string, new (length: number) => NumberArray>> = {
  i: Int8Array,
  U: Uint8Array,
  I: Int16Array,
  l: Int32Array,
  L: Float64Array,
  d: Float32Array,
  D: Float64Array,
};
/** Values of types that have no bytes of their own: such an array could be of any length. */
const withoutBytes = 'ZNTF';

/** Whether a file is UBJSON, and not JSON: in an object, what follows "{" is the type of a key's length, or a size. */
export function isUbjson(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b && bytes.length > 1 && 'iUIlL#$N'.includes(String.fromCharCode(bytes[1]!));
}

/**
 * @returns objects, arrays, text, numbers, booleans and null; arrays of one type are typed arrays.
 * @throws ModelFormatError naming the byte.
 */
export function readUbjson(bytes: Uint8Array): unknown {
  const reader = new UbjsonReader(bytes);
  const value = reader.value(reader.marker(), 0);
  if (reader.at !== bytes.length) throw reader.wrong(reader.at, 'expected the end of the file');
  return value;
}

interface Container {
  /** Undefined where each value has a marker. */
  readonly type: string | undefined;
  /** Undefined where an end marker ends it. */
  readonly count: number | undefined;
}

class UbjsonReader {
  at = 0;
  #values = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #text = new TextDecoder();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  wrong(at: number, what: string): ModelFormatError {
    return new ModelFormatError(`model file: UBJSON, byte ${at}: ${what}`);
  }

  /** The next marker, after those that stand for nothing. */
  marker(): string {
    for (;;) {
      const marker = String.fromCharCode(this.#bytes[this.#take(1)]!);
      if (marker !== 'N') return marker;
    }
  }

  value(marker: string, depth: number): unknown {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw this.wrong(this.at, `more than ${MAX_VALUES} values`);
    const number = numbers[marker];
    if (number) return number[1](this.#view, this.#take(number[0]));
    switch (marker) {
      case 'S':
        return this.#string();
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case 'T':
        return true;
      case 'F':
        return false;
      case 'Z':
        return null;
      case 'C':
        return String.fromCharCode(this.#bytes[this.#take(1)]!);
      default:
        throw this.wrong(this.at - 1, `unknown marker ${JSON.stringify(marker)}`);
    }
  }

  /** Moves over bytes; returns where they begin. */
  #take(count: number): number {
    const { at } = this;
    const left = this.#bytes.length - at;
    if (count > left) throw this.wrong(at, `the file ends here, expected ${count - left} more bytes`);
    this.at += count;
    return at;
  }

  /** A size; each of what it counts takes `bytesEach` bytes at least. */
  #size(bytesEach: number): number {
    const { at } = this;
    const marker = this.marker();
    if (!integers.includes(marker)) throw this.wrong(at, `${JSON.stringify(marker)} is no type of a size`);
    const size = this.value(marker, 0) as number;
    const left = this.#bytes.length - this.at;
    if (size < 0 || size * bytesEach > left)
      throw this.wrong(at, `a size of ${size}, but ${left} bytes are left`);
    return size;
  }

  #string(): string {
    const size = this.#size(1);
    const from = this.#take(size);
    return this.#text.decode(this.#bytes.subarray(from, from + size));
  }

  /** Type and size after the opening marker. */
  #container(depth: number, bytesOfKey: number): Container {
    if (depth > MAX_DEPTH) throw this.wrong(this.at, `nested more than ${MAX_DEPTH} deep`);
    let type: string | undefined;
    if (this.#peek() === '$') {
      this.at += 1;
      const at = this.#take(1);
      type = String.fromCharCode(this.#bytes[at]!);
      if (withoutBytes.includes(type)) throw this.wrong(at, `a list of values of type "${type}"`);
      if (this.#peek() !== '#') throw this.wrong(this.at, 'expected "#" after the type of a list');
    }
    if (this.#peek() !== '#') return { type, count: undefined };
    this.at += 1;
    const bytesOfValue = type === undefined ? 1 : (numbers[type]?.[0] ?? 1);
    return { type, count: this.#size(bytesOfKey + bytesOfValue) };
  }

  #peek(): string {
    return String.fromCharCode(this.#bytes[this.at] ?? 0);
  }

  #array(depth: number): unknown {
    const { type, count } = this.#container(depth, 0);
    if (type !== undefined && arraysOf[type]) return this.#typed(type, count!);
    const values: unknown[] = [];
    if (count !== undefined) {
      for (let i = 0; i < count; i += 1) values.push(this.value(type ?? this.marker(), depth));
      return values;
    }
    for (let marker = this.marker(); marker !== ']'; marker = this.marker())
      values.push(this.value(marker, depth));
    return values;
  }

  #typed(type: string, count: number): NumberArray {
    const [bytes, read] = numbers[type]!;
    const from = this.#take(count * bytes);
    const array = new arraysOf[type]!(count);
    for (let i = 0; i < count; i += 1) array[i] = read(this.#view, from + i * bytes);
    return array;
  }

  #object(depth: number): Readonly<Record<string, unknown>> {
    // The length of a key takes two bytes at least.
    const { type, count } = this.#container(depth, 2);
    const object = {};
    for (let i = 0; i !== count; i += 1) {
      while (this.#peek() === 'N') this.at += 1;
      if (count === undefined && this.#peek() === '}') {
        this.at += 1;
        break;
      }
      const key = this.#string();
      setMember(object, key, this.value(type ?? this.marker(), depth));
    }
    return object;
  }
}
