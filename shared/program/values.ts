// Arguments and answers of programs on their way between processes: JSON, and besides it what JSON has no form for
// (typed arrays, NaN, dates, undefined). The bytes of arrays stay bytes. What can't travel is refused with its path.

import { TabgradError } from '../../kernels/errors.ts';
import { bytesUnder } from '../../kernels/bytesUnder.ts';

/** A value that has no form on the wire: a function, an instance of a class, a cycle. */
class ValueNotPlainError extends TabgradError {
  readonly code = 'PROGRAM_VALUE_INVALID';
}

export interface EncodedValue {
  /** JSON with `{"$": tag, …}` where JSON is not enough. */
  readonly json: unknown;
  /** Bytes of the arrays, by the number that their place in `json` names. */
  readonly buffers: readonly Uint8Array[];
}

/** Objects that travel in a form of their own, e.g. checkpoints: `carry` on the way out, `revive` on the way in. */
export interface CarriedObjects {
  /** @returns what stands for the object, plain JSON; undefined for an object of another kind. */
  readonly carry?: (value: object) => unknown;
  readonly revive?: (carried: unknown) => unknown;
}

const MAX_DEPTH = 64;

type AnyTypedArray = ArrayBufferView & { readonly constructor: { readonly name: string } };
type TypedArrayClass = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => AnyTypedArray;

const typedArrays: Readonly<Record<string, TypedArrayClass & { readonly BYTES_PER_ELEMENT: number }>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
};

/**
 * @param where names the value in messages, e.g. "fnConstructorArgs".
 * @throws ValueNotPlainError with the path of the part that can't travel.
 */
export function encodeValue(value: unknown, where: string, { carry }: CarriedObjects = {}): EncodedValue {
  const buffers: Uint8Array[] = [];
  const encode = (value: unknown, path: string, depth: number): unknown => {
    if (depth > MAX_DEPTH) {
      throw refused(path, `is nested deeper than ${MAX_DEPTH} levels, or contains itself`);
    }
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return { $: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
      case 'undefined':
        return { $: 'undefined' };
      case 'bigint':
        return { $: 'bigint', v: String(value) };
      case 'function':
        throw refused(path, 'is a function');
      case 'symbol':
        throw refused(path, 'is a symbol');
      case 'object':
        break;
    }
    return value === null ? null : encodeObject(value, path, depth);
  };
  const encodeObject = (value: object, path: string, depth: number): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => encode(item, `${path}[${i}]`, depth + 1));
    const carried = carry?.(value);
    if (carried !== undefined) return { $: 'carried', v: carried };
    if (ArrayBuffer.isView(value)) {
      const kind = arrayKind(value);
      if (kind === undefined) throw refused(path, 'is a DataView');
      buffers.push(bytesUnder(value));
      return { $: kind, b: buffers.length - 1 };
    }
    if (value instanceof ArrayBuffer) {
      buffers.push(new Uint8Array(value));
      return { $: 'ArrayBuffer', b: buffers.length - 1 };
    }
    if (value instanceof Date) return { $: 'date', v: value.getTime() };
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype && !isForeignPlain(prototype)) {
      throw refused(path, `is an instance of ${value.constructor?.name || 'a class'}`);
    }
    const entries = Object.entries(value).map(
      ([name, item]) => [name, encode(item, path === '' ? name : `${path}.${name}`, depth + 1)] as const,
    );
    return '$' in value ? { $: 'object', v: entries } : Object.fromEntries(entries);
  };
  return { json: encode(value, where, 0), buffers };
}

/** A Buffer arrives as a Uint8Array. */
function arrayKind(value: ArrayBufferView): string | undefined {
  return Object.keys(typedArrays).find((name) => value instanceof typedArrays[name]!);
}

/** Object.prototype of another realm, e.g. of a thread or a test's sandbox. */
function isForeignPlain(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

function refused(path: string, what: string): ValueNotPlainError {
  return new ValueNotPlainError(
    `${path} ${what}; expected plain values (JSON), typed arrays or checkpoints, which can travel to a worker.`,
    { field: path },
  );
}

/** @throws ValueNotPlainError when it names a buffer that is not there or is of an unknown kind. */
export function decodeValue({ json, buffers }: EncodedValue, { revive }: CarriedObjects = {}): unknown {
  const decode = (json: unknown, depth: number): unknown => {
    if (typeof json !== 'object' || json === null) return json;
    if (depth > MAX_DEPTH + 1)
      throw new ValueNotPlainError(`A value is nested deeper than ${MAX_DEPTH} levels.`);
    if (Array.isArray(json)) return json.map((item) => decode(item, depth + 1));
    if ('$' in json) return decodeTagged(json as Tagged, depth);
    // Object.fromEntries makes an own "__proto__" where assignment would change the prototype.
    return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, decode(item, depth + 1)]));
  };
  const decodeTagged = ({ $: tag, v, b }: Tagged, depth: number): unknown => {
    switch (tag) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(v);
      case 'bigint':
        return BigInt(String(v));
      case 'date':
        return new Date(v as number);
      case 'carried':
        return revive?.(v);
      case 'object':
        return Object.fromEntries(
          (v as [string, unknown][]).map(([name, item]) => [name, decode(item, depth + 1)]),
        );
    }
    return arrayOf(tag, buffers[b ?? -1]);
  };
  return decode(json, 0);
}

interface Tagged {
  readonly $: string;
  readonly v?: unknown;
  readonly b?: number;
}

function arrayOf(kind: string, bytes: Uint8Array | undefined): ArrayBufferLike | ArrayBufferView {
  const Kind = Object.hasOwn(typedArrays, kind) ? typedArrays[kind] : undefined;
  if (!bytes || (!Kind && kind !== 'ArrayBuffer')) {
    throw new ValueNotPlainError(`A value has a part of the unknown kind "${kind.slice(0, 40)}".`);
  }
  // Not slice(): a Buffer's shares its memory.
  if (!Kind) return new Uint8Array(bytes).buffer;
  const width = Kind.BYTES_PER_ELEMENT;
  if (bytes.byteLength % width !== 0) {
    throw new ValueNotPlainError(
      `A ${kind} has ${bytes.byteLength} bytes, which is no multiple of ${width}.`,
    );
  }
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new Kind(aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
}
