// Writes what a coordinator or server has to say of its own doings: a line an entry, with the time, for people or as JSON.

import type { Clock } from '../../shared/clock.ts';
import { visibleLine } from '../../kernels/visibleText.ts';
import type { Log, LogEntry } from './log.ts';
import { visibleOutput, type TextOutput } from './textOutput.ts';
import { LogThrottle } from './logThrottle.ts';

export interface LogWriterOptions {
  readonly output: TextOutput;
  /** A JSON value a line, and everything. */
  readonly json?: boolean;
  /** Not warnings and errors alone. */
  readonly verbose?: boolean;
  readonly clock?: Clock;
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number;
}

export interface LogWriter {
  readonly log: Log;
  /** Writes what is still held back. Idempotent. */
  readonly close: () => void;
}

const WINDOW_MS = 10_000;
const levelWords = { info: 'info', warn: 'warning', error: 'error' } as const;

/** A clock that does not keep the process up. */
const unheldClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

export function logWriter(options: LogWriterOptions): LogWriter {
  const { json = false, verbose = false, nowMs = Date.now } = options;
  const output = visibleOutput(options.output);
  const write: Log = (entry) =>
    void output.write(`${json ? jsonLine(entry, nowMs()) : textLine(entry, nowMs())}\n`);
  return throttledLog(write, { verbose, clock: options.clock });
}

/** Passes entries on, what comes in great numbers as its number. @param verbose not warnings and errors alone. */
export function throttledLog(
  write: Log,
  {
    verbose = false,
    clock = unheldClock,
  }: { readonly verbose?: boolean; readonly clock?: Clock | undefined } = {},
): LogWriter {
  const throttle = new LogThrottle();
  let window: { readonly startMs: number; readonly cancel: () => void } | undefined;
  const endWindow = (): void => {
    if (!window) return;
    window.cancel();
    const lastedMs = clock.now() - window.startMs;
    window = undefined;
    for (const entry of throttle.endWindow(lastedMs)) write(entry);
  };
  return {
    log: (entry) => {
      if (entry.level === 'info' && !verbose) return;
      window ??= { startMs: clock.now(), cancel: clock.after(WINDOW_MS, endWindow) };
      if (throttle.admits(entry)) write(entry);
    },
    close: endWindow,
  };
}

/** The caller's log; without one, warnings and errors on stderr of this process. */
export function logOrStderr(log: Log | undefined): LogWriter {
  return log ? { log, close: () => undefined } : logWriter({ output: process.stderr });
}

function textLine({ level, message }: LogEntry, nowMs: number): string {
  return `${new Date(nowMs).toISOString()} ${levelWords[level]}: ${visibleLine(message)}`;
}

function jsonLine({ level, message, workerId, runId }: LogEntry, nowMs: number): string {
  return JSON.stringify({
    type: 'log',
    time: new Date(nowMs).toISOString(),
    level,
    message,
    workerId,
    runId,
  });
}
