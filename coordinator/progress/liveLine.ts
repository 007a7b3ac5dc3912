// A line on a terminal that is written anew in its place.

import type { TextOutput, VisibleOutput } from '../log/textOutput.ts';

const DEFAULT_COLUMNS = 80;
/** To the start of the line, and clear to its end. */
const ERASE_LINE = '\r\u001B[K';

/** Characters that a line may have. A column is left free: a full line would wrap in some terminals. */
export function lineWidth({ columns }: TextOutput): number {
  return (columns ?? DEFAULT_COLUMNS) - 1;
}

export class LiveLine {
  readonly #output: VisibleOutput;
  #shown = '';

  constructor(output: VisibleOutput) {
    this.#output = output;
  }

  /** @returns whether there was anything to write. */
  show(line: string): boolean {
    if (line === this.#shown) return false;
    this.#output.control(this.#shown === '' ? '' : ERASE_LINE, line);
    this.#shown = line;
    return true;
  }

  erase(): void {
    this.show('');
  }
}
