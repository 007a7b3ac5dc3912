// What one execution of a plan shares: how to stop it and what it may use.

import { AbortedError } from '../../../kernels/errors.ts';

export interface RunContext {
  readonly signal: AbortSignal | undefined;
  /** Bytes of rows that one operator may hold in memory; more goes to temporary files. */
  readonly memoryLimitBytes: number;
  /** Folder for temporary files. */
  readonly tempFolder: string;
}

/** @throws AbortedError once the signal fired. */
export function throwIfAborted({ signal }: RunContext): void {
  if (signal?.aborted === true) {
    throw new AbortedError('The data operation was stopped by its caller.', {}, { cause: signal.reason });
  }
}
