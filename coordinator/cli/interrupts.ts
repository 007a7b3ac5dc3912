// Ctrl-C, SIGTERM and the end of the terminal: the first asks the command to end in order, the second ends the process at
// once. Node undoes what nohup asks for, so that a command that nobody hears of has to end what it started.

import { exitCodes, type ExitCode } from './exitCodes.ts';

const codes = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
} as const;
const signals = Object.keys(codes) as (keyof typeof codes)[];

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
  const onSignal = (name: keyof typeof codes): void => {
    const asked = codes[name];
    if (code !== undefined) process.exit(asked);
    code = asked;
    // First, so that what is redrawn in place is gone when the notice is written.
    controller.abort(new Error(`received ${name}`));
    notify();
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    code: () => code,
    end: (reason) => controller.abort(reason),
    close() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
