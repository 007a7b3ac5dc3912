// The dictionary of a string column chunk, as Arrow has it. Grows when a writer gave up its dictionary half-way.

import * as arrow from 'apache-arrow';
import { arrowData } from '../../../shared/columns/arrowData.ts';
import type { ByteValues } from './physicalValues.ts';

interface RowProps {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

export class StringDictionary {
  readonly #type: arrow.Dictionary;
  #adopted: ByteValues | undefined;
  #vector: arrow.Vector | undefined;
  /** Present once plain values had to be encoded: every entry by its text. */
  #codes: Map<string, number> | undefined;

  constructor(type: arrow.Dictionary) {
    this.#type = type;
  }

  /** Takes the file's dictionary. Codes given by `encode` come after its entries. */
  adopt(values: ByteValues): void {
    if (this.#adopted === values) return;
    this.#adopted = values;
    this.#codes = undefined;
    const data = arrowData({
      type: new arrow.Utf8(),
      length: values.offsets.length - 1,
      nullCount: 0,
      valueOffsets: values.offsets,
      data: values.data,
    });
    this.#vector = new arrow.Vector([data]);
  }

  /** Codes of values [start, start+count), entered where they are new. */
  encode(values: ByteValues, start: number, count: number): Int32Array {
    this.#codes ??= new Map(Array.from(this.#vector ?? [], (text, code) => [String(text), code]));
    const before = this.#codes.size;
    const decoder = new TextDecoder();
    const out = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const text = decoder.decode(
        values.data.subarray(values.offsets[start + i], values.offsets[start + i + 1]),
      );
      let code = this.#codes.get(text);
      if (code === undefined) {
        code = this.#codes.size;
        this.#codes.set(text, code);
      }
      out[i] = code;
    }
    if (this.#codes.size !== before)
      this.#vector = arrow.vectorFromArray([...this.#codes.keys()], new arrow.Utf8());
    return out;
  }

  data(codes: Int32Array, props: RowProps): arrow.Data {
    this.#vector ??= arrow.vectorFromArray([], new arrow.Utf8());
    return arrowData({
      type: this.#type,
      length: props.length,
      nullCount: props.nullCount,
      nullBitmap: props.nullBitmap,
      data: codes,
      dictionary: this.#vector,
    });
  }
}
