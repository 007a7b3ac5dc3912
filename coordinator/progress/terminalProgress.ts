// Puts progress on a stream: some lines that are redrawn on a terminal, few plain lines on a pipe, a JSON value a line for
// scripts.

import { Throttle } from '../../shared/throttle.ts';
import { visibleLine } from '../../kernels/visibleText.ts';
import { eventJson, type ProgressEvent } from './progressEvent.ts';
import { afterEvent, initialProgress } from './progressState.ts';
import { LiveLines, lineWidth, terminalRows } from './liveLines.ts';
import { liveView } from './liveView.ts';
import { stayingLines } from './progressText.ts';
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
  /** Once it has fired nothing is redrawn any more: what is told of the end stands on plain lines. */
  readonly signal?: AbortSignal;
}

export interface TerminalProgress {
  event(event: ProgressEvent): void;
  /** Writes a line of the caller's own above what is redrawn. Nothing in modes json and none. */
  line(text: string): void;
  /** Takes away what is redrawn; what comes later is written on plain lines. */
  close(): void;
}

const REDRAW_MS = 80;

/** How progress is told on a stream. What others write to a terminal in between would tear what is redrawn. */
export function progressMode(
  stream: TextOutput,
  { json, quiet, verbose }: { readonly json: boolean; readonly quiet: boolean; readonly verbose: boolean },
): ProgressMode {
  if (json) return 'json';
  if (quiet) return 'none';
  return stream.isTTY === true && !verbose ? 'live' : 'plain';
}

export function terminalProgress(options: TerminalProgressOptions): TerminalProgress {
  const { mode, now, signal } = options;
  const output = visibleOutput(options.stream);
  let state = initialProgress(options.roundsTotal, options.timed ?? true);
  let isLive = mode === 'live' && signal?.aborted !== true;
  const live = new LiveLines(output);
  const redraws = new Throttle(REDRAW_MS, now);

  const view = (): string[] =>
    isLive ? liveView(state, { columns: lineWidth(output), rows: terminalRows(output) }) : [];
  const writeLines = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    live.above(lines.map((line) => `${visibleLine(line)}\n`).join(''), view());
    if (isLive) redraws.done();
  };
  const onResize = (): void => void live.show(view());
  const close = (): void => {
    isLive = false;
    live.erase();
    output.off?.('resize', onResize);
    signal?.removeEventListener('abort', close);
  };
  if (isLive) {
    output.on?.('resize', onResize);
    signal?.addEventListener('abort', close, { once: true });
  }

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
      if (isLive && redraws.isDue && live.show(view())) redraws.done();
    },
    line(text) {
      if (mode === 'live' || mode === 'plain') writeLines([text]);
    },
    close,
  };
}
