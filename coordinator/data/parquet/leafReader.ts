// Collects the entries of one leaf column that belong to the rows of a batch.

import type { ColumnPages, MaxLevels, PagePiece } from './columnPages.ts';
import type { ValueRun } from './columnValues.ts';
import type { MemoryBudget } from '../store/memoryBudget.ts';

export interface LeafEntries {
  readonly count: number;
  /** One level an entry; undefined when all have the highest. */
  readonly definition: Uint8Array | undefined;
  /** One level an entry; undefined outside of lists. */
  readonly repetition: Uint8Array | undefined;
  /** Values of the entries at the highest definition level. */
  readonly runs: readonly ValueRun[];
}

interface Segment extends ValueRun {
  readonly piece: PagePiece;
  readonly entry: number;
  readonly entries: number;
}

/** Levels and values that an entry takes while a batch is put together. */
const ENTRY_BYTES = 16;

export class LeafReader {
  readonly #pages: ColumnPages;
  readonly #max: MaxLevels;
  readonly #budget: MemoryBudget;
  #rowsLeft: number;
  #piece: PagePiece | undefined;
  #entry = 0;
  #value = 0;

  /** @param rows of the row group: the pages must hold exactly these. */
  constructor(pages: ColumnPages, max: MaxLevels, rows: number, budget: MemoryBudget) {
    this.#pages = pages;
    this.#max = max;
    this.#rowsLeft = rows;
    this.#budget = budget;
  }

  /** Entries of the next `rows` rows. @throws Error when there are fewer, or more after the last one. */
  async read(rows: number): Promise<LeafEntries> {
    const segments: Segment[] = [];
    let count = 0;
    const add = (segment: Segment): void => {
      segments.push(segment);
      count += segment.entries;
    };
    if (this.#max.repetition === 0) {
      for (let left = rows; left > 0;) {
        const piece = await this.#current(left);
        const take = Math.min(left, piece.entries - this.#entry);
        add(this.#taken(piece, take));
        left -= take;
      }
    } else {
      await this.#readRows(rows, add);
    }
    this.#rowsLeft -= rows;
    return {
      count,
      definition: joinedLevels(segments, count, (piece) => piece.definition, this.#max.definition),
      repetition: joinedLevels(segments, count, (piece) => piece.repetition, 0),
      runs: segments,
    };
  }

  /** Rows of lists end where the next one begins, or with the pages. */
  async #readRows(rows: number, add: (segment: Segment) => void): Promise<void> {
    const isLast = rows === this.#rowsLeft;
    for (let begun = 0; ;) {
      const piece = await this.#currentOrEnd();
      if (piece === undefined) {
        if (begun < rows) throw new Error(`the pages end ${rows - begun} rows too early`);
        return;
      }
      const levels = piece.repetition ?? new Uint8Array(piece.entries);
      if (begun === 0 && levels[this.#entry] !== 0) throw new Error('its first entry goes on with no row');
      let end = this.#entry;
      for (; end < piece.entries; end++) {
        if (levels[end] !== 0) continue;
        if (begun === rows) break;
        begun++;
      }
      const isDone = end < piece.entries;
      this.#budget.takeForBatch((end - this.#entry) * ENTRY_BYTES, `the elements of ${begun} rows`);
      add(this.#taken(piece, end - this.#entry));
      if (isDone && isLast) throw new Error('the pages hold more rows than the row group');
      if (isDone) return;
    }
  }

  #taken(piece: PagePiece, entries: number): Segment {
    const entry = this.#entry;
    const start = this.#value;
    const count = countAt(piece.definition, this.#max.definition, entry, entries);
    this.#entry += entries;
    this.#value += count;
    return { piece, entry, entries, values: piece.values, start, count };
  }

  async #current(left: number): Promise<PagePiece> {
    const piece = await this.#currentOrEnd();
    if (piece === undefined) throw new Error(`the pages end ${left} rows too early`);
    return piece;
  }

  async #currentOrEnd(): Promise<PagePiece | undefined> {
    if (this.#piece === undefined || this.#entry === this.#piece.entries) {
      this.#piece = await this.#pages.next();
      this.#entry = 0;
      this.#value = 0;
    }
    return this.#piece;
  }
}

function countAt(levels: Uint8Array | undefined, level: number, start: number, entries: number): number {
  if (levels === undefined) return entries;
  let count = 0;
  for (let i = start, end = start + entries; i < end; i++) if (levels[i] === level) count++;
  return count;
}

function joinedLevels(
  segments: readonly Segment[],
  count: number,
  levelsOf: (piece: PagePiece) => Uint8Array | undefined,
  otherwise: number,
): Uint8Array | undefined {
  if (segments.every(({ piece }) => levelsOf(piece) === undefined)) return undefined;
  const levels = new Uint8Array(count);
  let at = 0;
  for (const { piece, entry, entries } of segments) {
    const own = levelsOf(piece);
    if (own === undefined) levels.fill(otherwise, at, at + entries);
    else levels.set(own.subarray(entry, entry + entries), at);
    at += entries;
  }
  return levels;
}
