// The dictionary of a string column chunk, as Arrow has it. Grows when a writer gave up its dictionary half-way.

import * as arrow from 'apache-arrow';
import { arrowData } from '../../../shared/columns/arrowData.ts';
import { requireUtf8 } from '../text/requireUtf8.ts';
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
  /** Present once plain values had to be encoded: the entries in the order of their codes, and the code of each text. */
  #entries: string[] | undefined;
  readonly #codes = new Map<string, number>();

  constructor(type: arrow.Dictionary) {
    this.#type = type;
  }

  /** Takes the file's dictionary. Codes given by `encode` come after its entries. @throws Error for what is no text */
  adopt(values: ByteValues): void {
    if (this.#adopted === values) return;
    requireUtf8(values.offsets, values.data);
    this.#adopted = values;
    const data = arrowData({
      type: new arrow.Utf8(),
      length: values.offsets.length - 1,
      nullCount: 0,
      valueOffsets: values.offsets,
      data: values.data,
    });
    this.#vector = new arrow.Vector([data]);
  }

  /** Codes of values [start, start+count), entered where they are new. @throws Error for what is no text */
  encode(values: ByteValues, start: number, count: number): Int32Array {
    const { data, offsets } = values;
    requireUtf8(offsets.subarray(start, start + count + 1), data);
    const entries = (this.#entries ??= this.#adoptedEntries());
    const before = entries.length;
    const decoder = new TextDecoder();
    const out = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const text = decoder.decode(data.subarray(offsets[start + i], offsets[start + i + 1]));
      let code = this.#codes.get(text);
      if (code === undefined) {
        code = entries.length;
        this.#codes.set(text, code);
        entries.push(text);
      }
      out[i] = code;
    }
    if (entries.length !== before) this.#vector = arrow.vectorFromArray(entries, new arrow.Utf8());
    return out;
  }

  /** Writers have repeated an entry: each keeps its place, since rows before this refer to it. */
  #adoptedEntries(): string[] {
    const entries = Array.from(this.#vector ?? [], String);
    for (const [code, text] of entries.entries()) if (!this.#codes.has(text)) this.#codes.set(text, code);
    return entries;
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
