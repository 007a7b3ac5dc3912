// Turns the pages of a flat column chunk into Arrow data of the batch size that is asked for.

import * as arrow from 'apache-arrow';
import { bitmapOf } from '../../../shared/columns/bitmap.ts';
import type { ColumnPages, DecodedPage } from './columnPages.ts';
import type { ByteValues, PageValues, PlainValues } from './physicalValues.ts';
import { arrowFromPlain, type ValueForm } from './arrowValues.ts';
import { StringDictionary } from './stringDictionary.ts';

/** A run of rows of one page: rows [row, row+rows), values [value, value+values). */
interface Segment {
  readonly page: DecodedPage;
  readonly row: number;
  readonly rows: number;
  readonly value: number;
  readonly values: number;
}

export class FlatColumn {
  readonly #pages: ColumnPages;
  readonly #type: arrow.DataType;
  readonly #form: ValueForm;
  readonly #strings: StringDictionary | undefined;
  #page: DecodedPage | undefined;
  #row = 0;
  #value = 0;

  /** @param type the Arrow type to give; a dictionary of Utf8 keeps the codes of the file. */
  constructor(pages: ColumnPages, type: arrow.DataType, form: ValueForm) {
    this.#pages = pages;
    this.#type = type;
    this.#form = form;
    if (arrow.DataType.isDictionary(type)) this.#strings = new StringDictionary(type);
  }

  /** The next `rows` rows. @throws Error on damaged pages. */
  async read(rows: number): Promise<arrow.Data> {
    const segments = await this.#segments(rows);
    const valid = validOf(segments, rows);
    const { bitmap, nullCount } = valid === undefined ? { bitmap: undefined, nullCount: 0 } : bitmapOf(valid);
    const props = { length: rows, nullCount, nullBitmap: bitmap };
    if (this.#strings !== undefined) return this.#strings.data(this.#codes(segments, rows, valid), props);
    return arrowFromPlain(this.#type, this.#plain(segments, rows, valid), rows, props, this.#form);
  }

  async #segments(rows: number): Promise<Segment[]> {
    const segments: Segment[] = [];
    for (let left = rows; left > 0;) {
      if (this.#page === undefined || this.#row === this.#page.rows) {
        this.#page = await this.#pages.next();
        this.#row = 0;
        this.#value = 0;
        if (this.#page === undefined) throw new Error(`the pages end ${left} rows too early`);
      }
      const take = Math.min(left, this.#page.rows - this.#row);
      const values = countValid(this.#page.valid, this.#row, take);
      segments.push({ page: this.#page, row: this.#row, rows: take, value: this.#value, values });
      this.#row += take;
      this.#value += values;
      left -= take;
    }
    return segments;
  }

  #codes(segments: readonly Segment[], rows: number, valid: Uint8Array | undefined): Int32Array {
    const codes = new Int32Array(rows);
    let at = 0;
    for (const { page, value, values } of segments) {
      const own = this.#codesOf(page.values, value, values);
      codes.set(own, at);
      at += values;
    }
    if (valid !== undefined) spread(codes, valid, at, 1);
    return codes;
  }

  #codesOf(values: PageValues, start: number, count: number): Int32Array {
    const strings = this.#strings!;
    if (values.kind === 'codes') {
      strings.adopt(this.#pages.dictionary as ByteValues);
      return values.codes.subarray(start, start + count);
    }
    // Writers fall back to plain pages when a dictionary grows too large.
    if (this.#pages.dictionary !== undefined) strings.adopt(this.#pages.dictionary as ByteValues);
    return strings.encode(values as ByteValues, start, count);
  }

  #plain(segments: readonly Segment[], rows: number, valid: Uint8Array | undefined): PlainValues {
    const first = segments[0]?.page.values;
    const sample = first?.kind === 'codes' ? this.#pages.dictionary : first;
    if (sample === undefined) throw new Error('a batch without pages');
    if (sample.kind === 'bytes') return this.#bytes(segments, rows, valid);
    const width = sample.kind === 'words' ? sample.width : 1;
    const out = sample.kind === 'words' ? new Int32Array(rows * width) : new Uint8Array(rows);
    let at = 0;
    for (const { page, value, values } of segments) {
      if (page.values.kind === 'codes') {
        gather(
          out,
          at,
          arrayOf(this.#pages.dictionary),
          page.values.codes.subarray(value, value + values),
          width,
        );
      } else {
        out.set(arrayOf(page.values).subarray(value * width, (value + values) * width), at * width);
      }
      at += values;
    }
    if (valid !== undefined) spread(out, valid, at, width);
    return out instanceof Int32Array ? { kind: 'words', width, words: out } : { kind: 'bits', bits: out };
  }

  #bytes(segments: readonly Segment[], rows: number, valid: Uint8Array | undefined): ByteValues {
    const dictionary = this.#pages.dictionary as ByteValues | undefined;
    let total = 0;
    for (const { page, value, values } of segments)
      total += byteCount(page.values, dictionary, value, values);
    if (total > 0x7fff_ffff) throw new Error('the strings of one batch exceed 2 GiB');
    const data = new Uint8Array(total);
    const offsets = new Int32Array(rows + 1);
    let row = 0;
    let at = 0;
    for (const { page, value, rows: own } of segments) {
      const codes = page.values.kind === 'codes' ? page.values.codes : undefined;
      const source = (codes === undefined ? page.values : dictionary) as ByteValues;
      let next = value;
      for (let i = 0; i < own; i++, row++) {
        if (valid === undefined || valid[row] === 1) {
          const index = codes === undefined ? next : codes[next]!;
          next++;
          const from = source.offsets[index]!;
          const to = source.offsets[index + 1]!;
          if (to - from < 32) for (let j = from; j < to; j++) data[at++] = source.data[j]!;
          else {
            data.set(source.data.subarray(from, to), at);
            at += to - from;
          }
        }
        offsets[row + 1] = at;
      }
    }
    return { kind: 'bytes', offsets, data };
  }
}

function validOf(segments: readonly Segment[], rows: number): Uint8Array | undefined {
  if (segments.every(({ rows: own, values }) => own === values)) return undefined;
  const valid = new Uint8Array(rows);
  let at = 0;
  for (const { page, row, rows: own } of segments) {
    if (page.valid === undefined) valid.fill(1, at, at + own);
    else valid.set(page.valid.subarray(row, row + own), at);
    at += own;
  }
  return valid;
}

function countValid(valid: Uint8Array | undefined, start: number, rows: number): number {
  if (valid === undefined) return rows;
  let count = 0;
  for (let i = start, end = start + rows; i < end; i++) count += valid[i]!;
  return count;
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
