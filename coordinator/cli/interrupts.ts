// Ctrl-C and SIGTERM: the first asks the command to end in order, the second ends the process at once.

import { exitCodes, type ExitCode } from './exitCodes.ts';

export interface Interrupts {
  readonly signal: AbortSignal;
  /** Which exit code a signal asks for, once one came. */
  code(): ExitCode | undefined;
  /** Ends the command in order for another reason than a signal. */
  end(reason: Error): void;
  close(): void;
}

/** Listens for signals until closed. `notify` is called at the first one. */
export function listenForInterrupts(notify: () => void): Interrupts {
  const controller = new AbortController();
  let code: ExitCode | undefined;
  const onSignal = (name: 'SIGINT' | 'SIGTERM'): void => {
    const asked = name === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
    if (code !== undefined) process.exit(asked);
    code = asked;
    notify();
    controller.abort(new Error(`received ${name}`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    code: () => code,
    end: (reason) => controller.abort(reason),
    close() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
