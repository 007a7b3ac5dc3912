// Columns that grow while rows are read into them, and are used again for the next rows.

const FIRST_ROWS = 128;
/** What requests of more rows needed is given back. */
const KEPT_BYTES = 4 * 1024 * 1024;

export class ColumnStore {
  /** Of `#capacity` rows each. */
  #all: readonly Float32Array[];
  #capacity = 0;
  /** What `first` gave last, for many requests have the same number of rows. */
  #first: readonly Float32Array[] = [];
  #firstRows = -1;

  constructor(width: number) {
    this.#all = Array.from({ length: width }, () => new Float32Array(0));
  }

  /** The columns, with room for a row. */
  withRow(row: number): readonly Float32Array[] {
    if (row >= this.#capacity) this.#resize(Math.max(FIRST_ROWS, 2 * this.#capacity));
    return this.#all;
  }

  /** The first rows of all columns. */
  first(rows: number): readonly Float32Array[] {
    if (rows !== this.#firstRows) {
      this.#first = this.#all.map((column) => column.subarray(0, rows));
      this.#firstRows = rows;
    }
    return this.#first;
  }

  /** Gives back what is beyond what is kept; what `first` gave stays good. */
  trim(): void {
    if (this.#capacity * this.#all.length * 4 > KEPT_BYTES) this.#resize(0);
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.#firstRows = -1;
    this.#all = this.#all.map((old) => {
      const column = new Float32Array(capacity);
      if (old.length < capacity) column.set(old);
      return column;
    });
  }
}
