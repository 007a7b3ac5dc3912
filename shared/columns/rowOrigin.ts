// Where the rows that a function returned come from: rows have no types, so those of 64-bit integers and of fine times
// have to be found again.

import * as arrow from 'apache-arrow';
import type { DictionaryStrings } from './dictionaryStrings.ts';
import { ExactTimes } from './exactTimes.ts';
import { type Row, rowsOf, valuesOf } from './valuesOf.ts';

export class RowOrigin {
  readonly times = new ExactTimes();
  readonly #batch: arrow.RecordBatch;
  readonly #strings: DictionaryStrings;

  constructor(batch: arrow.RecordBatch, strings: DictionaryStrings) {
    this.#batch = batch;
    this.#strings = strings;
  }

  rows(): Row[] {
    return rowsOf(this.#batch, this.#strings, this.times);
  }

  /** The column of that name, where it holds 64-bit integers and the values are its own, row by row. */
  unchanged(name: string, values: readonly unknown[]): arrow.Data | undefined {
    if (values.length !== this.#batch.numRows) return undefined;
    const index = this.#batch.schema.fields.findIndex((field) => field.name === name);
    const data = this.#batch.data.children[index];
    if (data === undefined || !arrow.DataType.isInt(data.type) || data.type.bitWidth !== 64) return undefined;
    const before = valuesOf(data, this.#strings);
    return values.every((value, row) => Object.is(value ?? null, before[row])) ? data : undefined;
  }
}
