// What goes wrong while a command works goes to stderr, whatever else is printed: a person sees it on a terminal, and
// scripts do not read it as an answer.

import type { TextOutput } from '../progress/textOutput.ts';

export interface LogLine {
  readonly level: 'warn' | 'error';
  readonly message: string;
}

export function writeLog(stderr: TextOutput, json: boolean, { level, message }: LogLine): void {
  const text = level === 'warn' ? `warning: ${message}` : message;
  stderr.write(`${json ? JSON.stringify({ type: 'log', level, message }) : text}\n`);
}
