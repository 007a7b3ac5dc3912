// The live table of trials: rewritten in place on a terminal, a line for each end of a trial on a pipe, a JSON value a
// line for scripts.

import { Throttle } from '../../../shared/throttle.ts';
import { LiveLines, lineWidth, terminalRows } from '../../progress/liveLines.ts';
import type { ProgressMode } from '../../progress/terminalProgress.ts';
import { visibleLine } from '../../../kernels/visibleText.ts';
import { formatMetrics } from '../../progress/formatNumbers.ts';
import { visibleOutput, type TextOutput } from '../../log/textOutput.ts';
import { tuneEventJson, type TuneCallback, type TuneEvent } from '../trial/tuneEvent.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import { tableLines, type TableRow } from './tableText.ts';

interface TuneTableOptions {
  readonly stream: TextOutput;
  readonly mode: ProgressMode;
  readonly metric: string | undefined;
  readonly best: 'max' | 'min' | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Once it has fired nothing is redrawn before the end. */
  readonly signal?: AbortSignal | undefined;
}

interface TuneTable {
  readonly callback: TuneCallback;
  /** Writes a line that stays, above the table on a terminal. */
  readonly line: (text: string) => void;
  /** Draws the last state, which stays. */
  readonly close: () => void;
}

const REDRAW_MS = 150;
/** Rows that are left for what stands above. */
const ROWS_ABOVE = 6;

export function tuneTable({ stream, mode, metric, best, now, signal }: TuneTableOptions): TuneTable {
  const output = visibleOutput(stream);
  const rows = new Map<number, TableRow>();
  let planned = Infinity;
  let queued: { readonly index: number; readonly waiting: string } | undefined;
  const live = new LiveLines(output);
  const redraws = new Throttle(REDRAW_MS, now);
  let isClosed = false;
  let isInterrupted = signal?.aborted === true;

  const draw = (): void => {
    const lines = tableLines([...rows.values()], {
      metric,
      mode: best,
      planned,
      width: lineWidth(output),
      height: Math.max(3, terminalRows(output) - ROWS_ABOVE),
      queued: queued?.waiting,
    });
    live.show(lines);
    redraws.done();
  };
  const onResize = (): void => {
    if (rows.size > 0 && !isInterrupted) draw();
  };
  const onAbort = (): void => {
    isInterrupted = true;
    live.leave();
  };
  if (mode === 'live') {
    output.on?.('resize', onResize);
    signal?.addEventListener('abort', onAbort, { once: true });
  }
  const plainLine = (event: TuneEvent): string | undefined => {
    if (event.type === 'started') return `experiment ${event.name}`;
    if (event.type !== 'trial') return undefined;
    const { index, status, reports, stopReason, error } = event.trial;
    if (status !== 'finished' && status !== 'errored') return undefined;
    const words = [status, stopReason, error?.message].filter((word) => word !== undefined).join(': ');
    return `trial ${index}  ${JSON.stringify(event.params)}  ${formatMetrics(reports.at(-1)?.metrics ?? {})}  ${words}`;
  };
  return {
    callback: {
      onEvent(event) {
        if (mode === 'none' || isClosed) return;
        if (mode === 'json') {
          output.write(`${JSON.stringify(tuneEventJson(event))}\n`);
          return;
        }
        if (event.type === 'started') planned = event.trials;
        if (event.type === 'queued') queued = event;
        if (event.type === 'trial') {
          rows.set(event.trial.index, { trial: event.trial, params: event.params });
          if (event.trial.index === queued?.index) queued = undefined;
        }
        if (mode === 'plain') {
          const line = plainLine(event);
          if (line !== undefined) output.write(`${visibleLine(line)}\n`);
        } else if (redraws.isDue && !isInterrupted) draw();
      },
    },
    line(text) {
      live.above(`${visibleLine(text)}\n`);
    },
    close() {
      // Nothing comes any more.
      queued = undefined;
      if (mode === 'live' && !isClosed && rows.size > 0) draw();
      live.leave();
      isClosed = true;
      output.off?.('resize', onResize);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** The table of a Tuner: on a terminal and nowhere else, unless it is told to be silent or the owner listens himself. */
export function tableCallback(
  { verbose, callbacks, metric, mode }: TuneSettings,
  signal: AbortSignal,
): {
  readonly callbacks: readonly TuneCallback[];
  close(): void;
} {
  if (verbose === 0 || callbacks.length > 0 || !process.stdout.isTTY)
    return { callbacks: [], close: () => undefined };
  const { callback, close } = tuneTable({
    stream: process.stdout,
    mode: verbose === 2 ? 'plain' : 'live',
    metric,
    best: mode,
    now: () => performance.now(),
    signal,
  });
  return { callbacks: [callback], close };
}
