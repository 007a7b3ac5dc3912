// Progress of a script's fit on its terminal, where the owner listens to nothing himself.

import type { RunConfig } from '../../options/runOptions.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import { terminalProgress } from '../../progress/terminalProgress.ts';

interface ShownProgress {
  readonly runConfig: RunConfig;
  /** Takes away what is redrawn. */
  close(): void;
}

/** The same config; with a callback that shows the run where nobody else does. */
export function showProgress(
  runConfig: RunConfig = {},
  roundsTotal: number,
  now: () => number,
  signal: AbortSignal,
): ShownProgress {
  const { callbacks = [], verbose = 1 } = runConfig;
  // What local workers say at 2 would tear what is redrawn.
  if (verbose !== 1 || callbacks.length > 0 || !process.stdout.isTTY)
    return { runConfig, close: () => undefined };
  const progress = terminalProgress({ stream: process.stdout, mode: 'live', roundsTotal, now, signal });
  const shown = {
    onEvent: (event: ProgressEvent) => progress.event(event),
    onWarning: (message: string) => progress.line(`warning: ${message}`),
  };
  return { runConfig: { ...runConfig, callbacks: [shown] }, close: () => progress.close() };
}
