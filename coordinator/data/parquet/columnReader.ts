// One column of a row group, however it is nested.

import type * as arrow from 'apache-arrow';
import type { ColumnValues } from './columnValues.ts';
import type { LeafReader } from './leafReader.ts';

/** Gives consecutive rows of one column of a row group. */
export interface ColumnReader {
  read(rows: number): Promise<arrow.Data>;
}

export class FlatColumn implements ColumnReader {
  readonly #entries: LeafReader;
  readonly #values: ColumnValues;

  constructor(entries: LeafReader, values: ColumnValues) {
    this.#entries = entries;
    this.#values = values;
  }

  /** The next `rows` rows. @throws Error on damaged pages. */
  async read(rows: number): Promise<arrow.Data> {
    // The levels of a flat column are 1 for a value and 0 for none.
    const { definition, runs } = await this.#entries.read(rows);
    return this.#values.toArrow(runs, rows, definition);
  }
}
