// The last lines that a child process said, for the error that reports its end. Bounded, however much it says.

const MAX_LINE_CHARACTERS = 2_000;

export class BoundedLog {
  readonly #lines: string[] = [];
  readonly #maxLines: number;
  readonly #onLine: (line: string) => void;
  #partial = '';

  constructor(maxLines: number, onLine: (line: string) => void = () => {}) {
    this.#maxLines = maxLines;
    this.#onLine = onLine;
  }

  /** Takes text as it comes from a stream, in any pieces. */
  write(text: string): void {
    const lines = (this.#partial + text).split(/\r?\n/);
    this.#partial = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    for (const line of lines) this.add(line);
  }

  add(line: string): void {
    const kept = line.slice(0, MAX_LINE_CHARACTERS);
    this.#lines.push(kept);
    if (this.#lines.length > this.#maxLines) this.#lines.shift();
    this.#onLine(kept);
  }

  get text(): string {
    return [...this.#lines, this.#partial].filter((line) => line !== '').join('\n');
  }
}
