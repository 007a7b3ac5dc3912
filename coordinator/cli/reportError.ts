// How a failure reaches the person or script that ran the command: one clear line, its place, or JSON.

import { AbortedError, TabgradError } from '../../kernels/errors.ts';
import { visibleOutput, type TextOutput } from '../log/textOutput.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';

export interface ErrorStyle {
  readonly json: boolean;
  readonly verbose: boolean;
}

const usageCodes = new Set([
  'UNKNOWN_COMMAND',
  'UNKNOWN_OPTION',
  'BAD_ARGUMENT',
  'CONFIG_UNREADABLE',
  'CONFIG_SYNTAX',
  'CONFIG_INVALID',
  'EXPRESSION_INVALID',
  'PARAMETER_UNKNOWN',
  'PARAMETER_OUT_OF_RANGE',
  'PLOT_ARGUMENT',
]);

/** Writes `error` to `stderr` and says with which code the process should end. */
export function reportError(error: unknown, stderr: TextOutput, style: ErrorStyle): ExitCode {
  const output = visibleOutput(stderr);
  const report = describeError(error);
  if (style.json) output.write(`${JSON.stringify({ type: 'error', ...report })}\n`);
  else output.write(`error ${report.code}: ${indented(report.message)}\n`);
  if (style.verbose) output.write(`${causes(error).map(indented).join('\n')}\n`);
  else if (report.code === 'INTERNAL' && !style.json)
    output.write(
      'This is a defect of tabgrad. Run the command again with --verbose and report what it prints.\n',
    );
  if (error instanceof AbortedError) return exitCodes.interrupted;
  return usageCodes.has(report.code) ? exitCodes.usage : exitCodes.failure;
}

/** So that no line of a message can be taken for another error. */
function indented(text: string): string {
  return text.replaceAll(/\n(?! )/g, '\n  ');
}

/** Code, message and place of anything that was thrown. Unknown errors are defects: INTERNAL. */
function describeError(error: unknown): {
  readonly code: string;
  readonly message: string;
  readonly place: TabgradError['place'];
} {
  if (error instanceof TabgradError) return { code: error.code, message: error.message, place: error.place };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'INTERNAL', message, place: {} };
}

function causes(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause = error, depth = 0; cause !== undefined && depth < 10; depth++) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
    lines.push(depth === 0 ? text : `caused by ${text}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}
