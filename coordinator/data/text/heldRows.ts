// Rows of text that wait to become a batch, bounded in number, cells and characters.

/** A wide table is cut to batches of fewer rows. */
const MAX_CELLS = 4_000_000;
const MAX_CHARS = 64 * 1024 * 1024;

export class HeldRows<T> {
  readonly #batchRows: number;
  #held: T[] = [];
  #cells = 0;
  #chars = 0;

  constructor(batchRows: number) {
    this.#batchRows = batchRows;
  }

  /** @param cells that the row takes in the batch. */
  add(row: T, cells: number, chars: number): void {
    this.#held.push(row);
    this.#cells += cells;
    this.#chars += chars;
  }

  get rows(): number {
    return this.#held.length;
  }

  get isFull(): boolean {
    return this.#held.length >= this.#batchRows || this.#cells >= MAX_CELLS || this.#chars >= MAX_CHARS;
  }

  take(): T[] {
    const held = this.#held;
    this.#held = [];
    this.#cells = 0;
    this.#chars = 0;
    return held;
  }
}
