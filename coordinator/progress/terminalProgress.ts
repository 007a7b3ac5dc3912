// Puts progress on a stream: one live line on a terminal, few plain lines on a pipe, a JSON value a line for scripts.

import { visibleLine } from '../../kernels/visibleText.ts';
import { eventJson, type ProgressEvent } from './progressEvent.ts';
import { afterEvent, initialProgress } from './progressState.ts';
import { liveLine, stayingLines } from './progressText.ts';
import { visibleOutput, type TextOutput } from '../log/textOutput.ts';

export type ProgressMode = 'live' | 'plain' | 'json' | 'none';

export interface TerminalProgressOptions {
  readonly stream: TextOutput;
  readonly mode: ProgressMode;
  readonly roundsTotal: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** False when events are old and their arrival says nothing about how long rounds took. Default true. */
  readonly timed?: boolean;
}

export interface TerminalProgress {
  event(event: ProgressEvent): void;
  /** Writes a line of the caller's own above the live line. Nothing in modes json and none. */
  line(text: string): void;
  /** Takes the live line away. */
  close(): void;
}

const REDRAW_MS = 80;
const DEFAULT_COLUMNS = 80;
/** To the start of the line, and clear to its end. */
const ERASE_LINE = '\r\u001B[K';

export function terminalProgress(options: TerminalProgressOptions): TerminalProgress {
  const { mode, now } = options;
  const output = visibleOutput(options.stream);
  let state = initialProgress(options.roundsTotal, options.timed ?? true);
  let drawn = '';
  let drawnAt = Number.NEGATIVE_INFINITY;

  const draw = (line: string): void => {
    if (line === drawn) return;
    output.control(drawn === '' ? '' : ERASE_LINE, line);
    drawn = line;
    drawnAt = now();
  };
  const writeLines = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    draw('');
    output.write(lines.map((line) => `${visibleLine(line)}\n`).join(''));
    drawnAt = Number.NEGATIVE_INFINITY;
  };

  return {
    event(event) {
      if (mode === 'none') return;
      if (mode === 'json') {
        output.write(`${JSON.stringify(eventJson(event))}\n`);
        return;
      }
      const before = state;
      state = afterEvent(state, event, now());
      writeLines(stayingLines(before, state, event));
      // A column is left free: a full line would wrap in some terminals.
      if (mode === 'live' && now() - drawnAt >= REDRAW_MS)
        draw(liveLine(state, (output.columns ?? DEFAULT_COLUMNS) - 1));
    },
    line(text) {
      if (mode === 'live' || mode === 'plain') writeLines([text]);
    },
    close() {
      if (mode === 'live') draw('');
    },
  };
}
