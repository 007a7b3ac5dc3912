// Lines at the bottom of a terminal that are drawn anew in their place: the one way in which anything here redraws.

import { visibleLine } from '../../kernels/visibleText.ts';
import { columnsOf, cutColumns } from '../../shared/text/textColumns.ts';
import type { TextOutput, VisibleOutput } from '../log/textOutput.ts';

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Columns that a line may take. Two are left free: a full line wraps in some terminals, and Ctrl-C echoes as "^C". */
export function lineWidth({ columns }: TextOutput): number {
  return Math.max(1, (columns || DEFAULT_COLUMNS) - 2);
}

/** Rows that a terminal has; what is drawn in place must leave one of them. */
export function terminalRows({ rows }: TextOutput): number {
  return rows || DEFAULT_ROWS;
}

export class LiveLines {
  readonly #output: VisibleOutput;
  /** As they stand on the terminal, the cursor behind the last. */
  #drawn: readonly string[] = [];

  constructor(output: VisibleOutput) {
    this.#output = output;
  }

  /** Draws the lines, cut to the terminal, in place of those that are there. @returns whether anything had to be written. */
  show(lines: readonly string[]): boolean {
    const fitting = this.#fit(lines);
    if (fitting.join('\n') === this.#drawn.join('\n')) return false;
    this.#replace('', fitting);
    return true;
  }

  /** Writes text that stays above the lines. @param text whole lines. */
  above(text: string, lines: readonly string[] = this.#drawn): void {
    this.#replace(text, this.#fit(lines));
  }

  erase(): void {
    this.show([]);
  }

  /** Lets the lines stay for good: what is written next stands below them. */
  leave(): void {
    if (this.#drawn.length > 0) this.#output.write('\n');
    this.#drawn = [];
  }

  /** In one piece, so that no terminal shows the state between. */
  #replace(text: string, lines: readonly string[]): void {
    this.#output.control(this.#eraseSequence(), text + lines.join('\n'));
    this.#drawn = lines;
  }

  /** To the start of the first line, and clear to the end of the screen. */
  #eraseSequence(): string {
    if (this.#drawn.length === 0) return '';
    // A terminal that has become narrower has wrapped what was drawn.
    const columns = this.#output.columns || DEFAULT_COLUMNS;
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(columnsOf(line) / columns)),
      0,
    );
    return `\r${rows > 1 ? `\u001B[${rows - 1}A` : ''}\u001B[J`;
  }

  #fit(lines: readonly string[]): string[] {
    const width = lineWidth(this.#output);
    const most = Math.max(1, terminalRows(this.#output) - 1);
    return lines.slice(0, most).map((line) => cutColumns(visibleLine(line), width));
  }
}
