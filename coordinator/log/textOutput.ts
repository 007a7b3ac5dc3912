// Where text for people goes. Whatever is written as text is text: only what is said to be a control sequence acts on the
// terminal, wherever the words came from.

import { visibleText } from '../../kernels/visibleText.ts';

/** A place for text; process.stdout and a test's collector both fit. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** Of a terminal: tells when its size changes. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export interface VisibleOutput extends TextOutput {
  /** Writes a control sequence of the terminal as it is, and text behind it. */
  control(sequence: string, text?: string): unknown;
}

/** The same place, whose `write` writes out whatever would act on a terminal. JSON stays the same value. */
export function visibleOutput(output: TextOutput | VisibleOutput): VisibleOutput {
  if ('control' in output) return output;
  return {
    write: (text) => output.write(visibleText(text)),
    control: (sequence, text = '') => output.write(sequence + visibleText(text)),
    on: (event, listener) => output.on?.(event, listener),
    off: (event, listener) => output.off?.(event, listener),
    get isTTY() {
      return output.isTTY;
    },
    get columns() {
      return output.columns;
    },
    get rows() {
      return output.rows;
    },
  };
}

/** Writes a line on stderr, beside the output that the process was asked for. */
export function writeToStderr(line: string): void {
  process.stderr.write(`${visibleText(line)}\n`);
}
