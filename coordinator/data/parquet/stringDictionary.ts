// The dictionary of a string column chunk, as Arrow has it. Grows when a writer gave up its dictionary half-way.

import type * as arrow from 'apache-arrow';
import { arrowData } from '../../../shared/columns/arrowData.ts';
import { GrowingStrings } from '../../../shared/columns/growingStrings.ts';
import type { MemoryBudget } from '../store/memoryBudget.ts';
import { requireUtf8 } from '../text/requireUtf8.ts';
import type { ByteValues } from './physicalValues.ts';

interface RowProps {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

/** An entry that was found in plain pages, beside its bytes: its text and its place among the codes. */
const ENTRY_BYTES = 80;

export class StringDictionary {
  readonly #type: arrow.Dictionary;
  readonly #budget: MemoryBudget;
  #adopted: ByteValues | undefined;
  #entries = new GrowingStrings();
  /** Of each text; present once plain values had to be encoded. */
  #codes: Map<string, number> | undefined;

  constructor(type: arrow.Dictionary, budget: MemoryBudget) {
    this.#type = type;
    this.#budget = budget;
  }

  /** Takes the file's dictionary. Codes given by `encode` come after its entries. @throws Error for what is no text */
  adopt(values: ByteValues): void {
    if (this.#adopted === values) return;
    if (this.#codes !== undefined) throw new Error('a dictionary behind values that do not use it');
    requireUtf8(values.offsets, values.data);
    this.#adopted = values;
    this.#entries = new GrowingStrings(values.offsets, values.data, values.offsets.length - 1);
  }

  /** Codes of values [start, start+count), entered where they are new. @throws Error for what is no text, BudgetExceeded */
  encode(values: ByteValues, start: number, count: number): Int32Array {
    const { data, offsets } = values;
    requireUtf8(offsets.subarray(start, start + count + 1), data);
    const codes = (this.#codes ??= this.#adoptedCodes());
    const decoder = new TextDecoder();
    const out = new Int32Array(count);
    for (let i = start; i < start + count; i++) {
      const from = offsets[i]!;
      const to = offsets[i + 1]!;
      const text = decoder.decode(data.subarray(from, to));
      let code = codes.get(text);
      if (code === undefined) {
        this.#budget.take(to - from + ENTRY_BYTES, 'a dictionary of the strings that its pages have');
        code = this.#entries.length;
        codes.set(text, code);
        this.#entries.append(offsets, data, i, i + 1);
      }
      out[i - start] = code;
    }
    return out;
  }

  /** Writers have repeated an entry: each keeps its place, since rows before this refer to it. */
  #adoptedCodes(): Map<string, number> {
    const codes = new Map<string, number>();
    for (const [code, text] of Array.from(this.#entries.vector(), String).entries()) {
      if (!codes.has(text)) codes.set(text, code);
    }
    return codes;
  }

  data(codes: Int32Array, props: RowProps): arrow.Data {
    return arrowData({
      type: this.#type,
      length: props.length,
      nullCount: props.nullCount,
      nullBitmap: props.nullBitmap,
      data: codes,
      dictionary: this.#entries.vector(),
    });
  }
}
