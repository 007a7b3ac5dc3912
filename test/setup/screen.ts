// A terminal as a function of what was written to it: text that wraps, carriage returns, and the sequences that drawing in place
// uses. Any other control character throws.

import { columnsOf } from '../../shared/text/textColumns.ts';

export class Screen {
  readonly columns: number;
  readonly rows: number;
  readonly isTTY = true;
  /** Cells by row; behind a wide letter stands an empty one. */
  readonly #lines: string[][] = [[]];
  /** Lines that have left the screen at its top. */
  #top = 0;
  #row = 0;
  #column = 0;
  /** What was written, piece by piece. */
  readonly written: string[] = [];

  constructor(columns = 80, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    this.written.push(text);
    const [first = '', ...sequences] = text.split('\u001B');
    for (const letter of first) this.#take(letter);
    for (const rest of sequences) {
      const [whole, count = '', kind = ''] = /^\[(\d*)([AJK])/.exec(rest) ?? [];
      if (whole === undefined) throw new Error(`unknown sequence in ${JSON.stringify(text)}`);
      this.#sequence(kind, Number(count || 1));
      for (const letter of rest.slice(whole.length)) this.#take(letter);
    }
  }

  /** All lines, those above the screen included, without blanks at their ends. */
  get lines(): string[] {
    return this.#lines.map((cells) =>
      Array.from(cells, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  #take(part: string): void {
    if (part === '\n') this.#down();
    else if (part === '\r') this.#column = 0;
    else this.#letter(part);
  }

  #down(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row === this.#lines.length) this.#lines.push([]);
    if (this.#row - this.#top >= this.rows) this.#top += 1;
  }

  #sequence(kind: string, count: number): void {
    if (kind === 'A') {
      this.#row = Math.max(this.#top, this.#row - count);
      return;
    }
    const cells = this.#lines[this.#row]!;
    cells.length = Math.min(this.#column, cells.length);
    if (kind === 'J') this.#lines.length = this.#row + 1;
  }

  #letter(letter: string): void {
    const width = columnsOf(letter);
    if (width < 1) return;
    if (this.#column + width > this.columns) this.#down();
    this.#lines[this.#row]![this.#column] = letter;
    if (width === 2) this.#lines[this.#row]![this.#column + 1] = '';
    this.#column += width;
  }
}
