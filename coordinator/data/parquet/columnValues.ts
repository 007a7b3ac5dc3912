// Turns values of pages into Arrow data: one array for the rows of a batch, with gaps where rows have none.

import * as arrow from 'apache-arrow';
import { bitmapOf } from '../../../shared/columns/bitmap.ts';
import { requireUtf8 } from '../text/requireUtf8.ts';
import { arrowFromPlain, type ValueForm } from './arrowValues.ts';
import type { ColumnPages } from './columnPages.ts';
import { BudgetExceeded, type MemoryBudget } from '../store/memoryBudget.ts';
import type { ByteValues, PageValues, PlainValues } from './physicalValues.ts';
import { StringDictionary } from './stringDictionary.ts';

/** Values [start, start + count) of a page. */
export interface ValueRun {
  readonly values: PageValues;
  readonly start: number;
  readonly count: number;
}

export class ColumnValues {
  readonly #pages: ColumnPages;
  readonly #type: arrow.DataType;
  readonly #form: ValueForm;
  readonly #budget: MemoryBudget;
  readonly #strings: StringDictionary | undefined;

  /** @param type the Arrow type to give; a dictionary of Utf8 keeps the codes of the file. */
  constructor(pages: ColumnPages, type: arrow.DataType, form: ValueForm, budget: MemoryBudget) {
    this.#pages = pages;
    this.#type = type;
    this.#form = form;
    this.#budget = budget;
    if (arrow.DataType.isDictionary(type)) this.#strings = new StringDictionary(type, budget);
  }

  /** @param valid one byte a row, 1 for those that the runs' values belong to; undefined for all. */
  toArrow(runs: readonly ValueRun[], rows: number, valid: Uint8Array | undefined): arrow.Data {
    const { bitmap, nullCount } = valid === undefined ? { bitmap: undefined, nullCount: 0 } : bitmapOf(valid);
    const props = { length: rows, nullCount, nullBitmap: bitmap };
    if (this.#strings !== undefined) return this.#strings.data(this.#codes(runs, rows, valid), props);
    const plain = this.#plain(runs, rows, valid);
    const isText = arrow.DataType.isUtf8(this.#type) && this.#form.kind === 'plain';
    if (isText && plain.kind === 'bytes') requireUtf8(plain.offsets, plain.data);
    return arrowFromPlain(this.#type, plain, rows, props, this.#form);
  }

  #codes(runs: readonly ValueRun[], rows: number, valid: Uint8Array | undefined): Int32Array {
    const codes = new Int32Array(rows);
    let at = 0;
    for (const { values, start, count } of runs) {
      if (count === 0) continue;
      codes.set(this.#codesOf(values, start, count), at);
      at += count;
    }
    if (valid !== undefined) spread(codes, valid, at, 1);
    return codes;
  }

  #codesOf(values: PageValues, start: number, count: number): Int32Array {
    const strings = this.#strings!;
    const dictionary = this.#pages.dictionary as ByteValues | undefined;
    // Writers fall back to plain pages when a dictionary grows too large.
    if (dictionary !== undefined) strings.adopt(dictionary);
    return values.kind === 'codes'
      ? values.codes.subarray(start, start + count)
      : strings.encode(values as ByteValues, start, count);
  }

  #plain(runs: readonly ValueRun[], rows: number, valid: Uint8Array | undefined): PlainValues {
    const first = runs.find(({ count }) => count > 0)?.values ?? runs[0]?.values;
    const sample = first?.kind === 'codes' ? this.#pages.dictionary : first;
    if (sample === undefined) throw new Error('a batch without pages');
    if (sample.kind === 'bytes') return this.#bytes(runs, rows, valid);
    const width = sample.kind === 'words' ? sample.width : 1;
    const whole = valid === undefined ? ownWords(runs, rows * width) : undefined;
    if (whole !== undefined) return whole;
    const out = sample.kind === 'words' ? new Int32Array(rows * width) : new Uint8Array(rows);
    let at = 0;
    for (const { values, start, count } of runs) {
      if (count === 0) continue;
      if (values.kind === 'codes') {
        gather(out, at, arrayOf(this.#pages.dictionary), values.codes.subarray(start, start + count), width);
      } else {
        out.set(arrayOf(values).subarray(start * width, (start + count) * width), at * width);
      }
      at += count;
    }
    if (valid !== undefined) spread(out, valid, at, width);
    return out instanceof Int32Array ? { kind: 'words', width, words: out } : { kind: 'bits', bits: out };
  }

  #bytes(runs: readonly ValueRun[], rows: number, valid: Uint8Array | undefined): ByteValues {
    const dictionary = this.#pages.dictionary as ByteValues | undefined;
    let total = 0;
    for (const { values, start, count } of runs)
      if (count > 0) total += byteCount(values, dictionary, start, count);
    this.#budget.takeForBatch(total, 'the strings of a batch');
    if (total > 0x7fff_ffff) throw new BudgetExceeded('the strings of a batch exceed 2 GiB');
    const data = new Uint8Array(total);
    const offsets = new Int32Array(rows + 1);
    let row = 0;
    let at = 0;
    const skipMissing = (): void => {
      while (row < rows && valid?.[row] === 0) offsets[++row] = at;
    };
    for (const { values, start, count } of runs) {
      const codes = values.kind === 'codes' ? values.codes : undefined;
      const source = (codes === undefined ? values : dictionary) as ByteValues;
      for (let i = start, end = start + count; i < end; i++) {
        skipMissing();
        const index = codes === undefined ? i : codes[i]!;
        const from = source.offsets[index]!;
        const to = source.offsets[index + 1]!;
        if (to - from < 32) for (let j = from; j < to; j++) data[at++] = source.data[j]!;
        else {
          data.set(source.data.subarray(from, to), at);
          at += to - from;
        }
        offsets[++row] = at;
      }
    }
    skipMissing();
    return { kind: 'bytes', offsets, data };
  }
}

/** The words of one run that are a batch by themselves, in memory that nothing else lies in: they need no copy. */
function ownWords(runs: readonly ValueRun[], length: number): PlainValues | undefined {
  const [run] = runs;
  if (runs.length !== 1 || run?.values.kind !== 'words') return undefined;
  const { words } = run.values;
  return words.length === length && words.byteLength === words.buffer.byteLength ? run.values : undefined;
}

function arrayOf(values: PlainValues | undefined): Int32Array | Uint8Array {
  if (values === undefined || values.kind === 'bytes') throw new Error('pages of one column differ in type');
  return values.kind === 'words' ? values.words : values.bits;
}

function byteCount(
  values: PageValues,
  dictionary: ByteValues | undefined,
  start: number,
  count: number,
): number {
  if (values.kind === 'bytes') return values.offsets[start + count]! - values.offsets[start]!;
  if (values.kind !== 'codes' || dictionary === undefined)
    throw new Error('pages of one column differ in type');
  let total = 0;
  for (let i = start, end = start + count; i < end; i++) {
    const code = values.codes[i]!;
    total += dictionary.offsets[code + 1]! - dictionary.offsets[code]!;
  }
  return total;
}

/** out[at + i] = source[codes[i]], `width` elements a value. */
function gather(
  out: Int32Array | Uint8Array,
  at: number,
  source: Int32Array | Uint8Array,
  codes: Int32Array,
  width: number,
): void {
  if (width === 1) {
    for (let i = 0; i < codes.length; i++) out[at + i] = source[codes[i]!]!;
  } else if (width === 2) {
    for (let i = 0, to = at * 2; i < codes.length; i++, to += 2) {
      const from = codes[i]! * 2;
      out[to] = source[from]!;
      out[to + 1] = source[from + 1]!;
    }
  } else {
    for (let i = 0; i < codes.length; i++) {
      for (let w = 0; w < width; w++) out[(at + i) * width + w] = source[codes[i]! * width + w]!;
    }
  }
}

/** Moves `count` packed values to their rows, in place, from the back. Rows without a value become zero. */
function spread(out: Int32Array | Uint8Array, valid: Uint8Array, count: number, width: number): void {
  let from = count;
  for (let row = valid.length - 1; row >= 0; row--) {
    if (valid[row] === 1) {
      from--;
      for (let w = 0; w < width; w++) out[row * width + w] = out[from * width + w]!;
    } else {
      for (let w = 0; w < width; w++) out[row * width + w] = 0;
    }
  }
}
