// Puts progress on a stream: one live line on a terminal, few plain lines on a pipe, a JSON value a line for scripts.

import { Throttle } from '../../shared/throttle.ts';
import { visibleLine } from '../../kernels/visibleText.ts';
import { eventJson, type ProgressEvent } from './progressEvent.ts';
import { afterEvent, initialProgress } from './progressState.ts';
import { LiveLine, lineWidth } from './liveLine.ts';
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

export function terminalProgress(options: TerminalProgressOptions): TerminalProgress {
  const { mode, now } = options;
  const output = visibleOutput(options.stream);
  let state = initialProgress(options.roundsTotal, options.timed ?? true);
  const live = new LiveLine(output);
  const redraws = new Throttle(REDRAW_MS, now);

  const writeLines = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    live.erase();
    output.write(lines.map((line) => `${visibleLine(line)}\n`).join(''));
    redraws.reset();
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
      if (mode === 'live' && redraws.isDue && live.show(liveLine(state, lineWidth(output)))) redraws.done();
    },
    line(text) {
      if (mode === 'live' || mode === 'plain') writeLines([text]);
    },
    close() {
      if (mode === 'live') live.erase();
    },
  };
}
