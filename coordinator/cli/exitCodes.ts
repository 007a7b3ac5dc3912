// What the process tells the shell that started it. Help and docs/cli.md list these.

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.ok, 'Done.'],
  [exitCodes.failure, 'The work failed; the error with its code is on stderr.'],
  [exitCodes.usage, 'The command line or the config file is wrong; nothing was started.'],
  [exitCodes.hungUp, 'Its terminal was closed (SIGHUP).'],
  [exitCodes.interrupted, 'Interrupted (Ctrl-C).'],
  [exitCodes.terminated, 'Terminated (SIGTERM).'],
];
