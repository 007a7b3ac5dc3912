// Walks Parquet's metadata (Thrift's compact protocol) before it is parsed: a parser that believes a damaged length makes
// lists and strings of what is not there. https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

/** A struct's fields that a reader can not do without, by number; nested for structs and lists of structs. */
export interface RequiredFields {
  readonly [field: number]: { readonly name: string; readonly fields?: RequiredFields };
}

const MAX_DEPTH = 32;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const VARINTS = new Set([4, 5, 6]);
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;

/**
 * @returns the offset behind the struct that begins at `start`.
 * @throws Error when it does not end inside the bytes, is nested too deeply or lacks a required field.
 */
export function scanThriftStruct(bytes: Uint8Array, start: number, required: RequiredFields = {}): number {
  return new ThriftScan(bytes, start).struct(required, 0, '');
}

class ThriftScan {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  struct(required: RequiredFields, depth: number, path: string): number {
    if (depth > MAX_DEPTH) throw new Error('structs are nested too deeply');
    const seen = new Set<number>();
    let id = 0;
    for (;;) {
      const byte = this.#byte();
      const type = byte & 0x0f;
      if (type === 0) break;
      const delta = byte >> 4;
      if (delta > 0) id += delta;
      else {
        const zigzag = this.#varint();
        id = (zigzag >>> 1) ^ -(zigzag & 1);
      }
      seen.add(id);
      const field = required[id];
      this.#value(type, field?.fields ?? {}, depth, field === undefined ? path : `${path}${field.name}.`);
    }
    for (const [number, { name }] of Object.entries(required)) {
      if (!seen.has(Number(number))) throw new Error(`${path}${name} is missing`);
    }
    return this.#at;
  }

  #value(type: number, fields: RequiredFields, depth: number, path: string): void {
    if (type === TRUE || type === FALSE) return;
    if (type === BYTE) this.#skip(1);
    else if (VARINTS.has(type)) this.#varint();
    else if (type === DOUBLE) this.#skip(8);
    else if (type === BINARY) this.#skip(this.#varint());
    else if (type === LIST || type === SET) this.#list(fields, depth, path);
    else if (type === STRUCT) this.struct(fields, depth + 1, path);
    else
      throw new Error(type === MAP ? 'a map where Parquet has none' : `a field of the unknown kind ${type}`);
  }

  #list(fields: RequiredFields, depth: number, path: string): void {
    if (depth > MAX_DEPTH) throw new Error('lists are nested too deeply');
    const header = this.#byte();
    const short = header >> 4;
    const length = short === 15 ? this.#varint() : short;
    const type = header & 0x0f;
    // Every element takes a byte at least.
    if (length > this.#bytes.length - this.#at) throw new Error(`a list claims ${length} elements`);
    if (type === TRUE || type === FALSE) return this.#skip(length);
    for (let i = 0; i < length; i++) this.#value(type, fields, depth + 1, path);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error('the metadata is cut off');
    return byte;
  }

  /** The low 32 bits of a number of up to 64. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Error('a number is longer than 64 bits');
  }

  #skip(count: number): void {
    if (count > this.#bytes.length - this.#at)
      throw new Error(`${count} bytes are claimed where fewer are left`);
    this.#at += count;
  }
}
