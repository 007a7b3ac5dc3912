// Universal Binary JSON as XGBoost reads it (src/common/json.cc, UBJReader): sizes are 64-bit integers, arrays of numbers
// are of one type, also when they are empty.

/** What a model file is made of. Typed arrays are numbers of one type. */
export type FileValue = string | number | FileNumbers | readonly FileValue[] | FileObject;
type FileNumbers = Float32Array | Float64Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;
export interface FileObject {
  readonly [key: string]: FileValue;
}

export function isList(value: readonly FileValue[] | FileObject): value is readonly FileValue[] {
  return Array.isArray(value);
}

/** @param root its numbers are integers of 32 bits; others are in typed arrays. */
export function writeUbjson(root: FileObject): Uint8Array<ArrayBuffer> {
  const writer = new UbjsonWriter();
  writer.value(root);
  return writer.bytes();
}

class UbjsonWriter {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  readonly #encoder = new TextEncoder();

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#end);
  }

  value(value: FileValue): void {
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'number') {
      this.#marker('l');
      return this.#view.setInt32(this.#take(4), value);
    }
    if (ArrayBuffer.isView(value)) return this.#typed(value);
    if (isList(value)) {
      this.#marker('[#');
      this.#size(value.length);
      for (const item of value) this.value(item);
      return;
    }
    this.#marker('{');
    for (const [key, member] of Object.entries(value)) {
      this.#text(key);
      this.value(member);
    }
    this.#marker('}');
  }

  /** Big endian. */
  #typed(array: FileNumbers): void {
    const [type, write] = this.#writing(array);
    this.#marker(`[$${type}#`);
    this.#size(array.length);
    const from = this.#take(array.byteLength);
    for (let i = 0; i < array.length; i += 1) write(this.#view, from + i * array.BYTES_PER_ELEMENT, i);
  }

  /** The marker of the numbers' type, and what writes number `i`. */
  #writing(array: FileNumbers): [type: string, write: (view: DataView, at: number, i: number) => void] {
    if (array instanceof Float32Array) return ['d', (view, at, i) => view.setFloat32(at, array[i]!)];
    if (array instanceof Float64Array) return ['D', (view, at, i) => view.setFloat64(at, array[i]!)];
    if (array instanceof Int8Array) return ['i', (view, at, i) => view.setInt8(at, array[i]!)];
    if (array instanceof Uint8Array) return ['U', (view, at, i) => view.setUint8(at, array[i]!)];
    if (array instanceof Int32Array) return ['l', (view, at, i) => view.setInt32(at, array[i]!)];
    return ['L', (view, at, i) => view.setBigInt64(at, array[i]!)];
  }

  #string(text: string): void {
    this.#marker('S');
    this.#text(text);
  }

  #text(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.#size(bytes.length);
    const from = this.#take(bytes.length);
    this.#bytes.set(bytes, from);
  }

  #size(size: number): void {
    this.#marker('L');
    const from = this.#take(8);
    this.#view.setBigInt64(from, BigInt(size));
  }

  /** ASCII. */
  #marker(text: string): void {
    const from = this.#take(text.length);
    for (let i = 0; i < text.length; i += 1) this.#bytes[from + i] = text.charCodeAt(i);
  }

  /** Makes room; returns where it begins. */
  #take(count: number): number {
    const from = this.#end;
    this.#end += count;
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#end, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return from;
  }
}
