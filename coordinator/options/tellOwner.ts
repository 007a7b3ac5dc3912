// What a trainer tells its owner while it runs, by the callbacks of runConfig.

import type { ProgressEvent } from '../progress/progressEvent.ts';
import { writeToStderr } from '../log/textOutput.ts';
import { throttledLog } from '../log/logWriter.ts';
import type { Log } from '../log/log.ts';
import type { RunConfig } from './runOptions.ts';

export function notifyOwner({ callbacks = [] }: RunConfig = {}, event: ProgressEvent): void {
  for (const callback of callbacks) callback.onEvent?.(event);
}

/** On stderr where no callback is given, unless the run is to be silent. */
export function warnOwner({ callbacks = [], verbose = 1 }: RunConfig = {}, message: string): void {
  for (const callback of callbacks) callback.onWarning?.(message);
  const isHeard = callbacks.some((callback) => callback.onWarning !== undefined);
  if (!isHeard && verbose > 0) writeToStderr(`warning: ${message}`);
}

/** Of a coordinator in this process: its warnings and errors are warnings of the trainer. */
export function ownersLog(config: RunConfig | undefined): Log {
  return throttledLog(({ message }) => warnOwner(config, message)).log;
}
