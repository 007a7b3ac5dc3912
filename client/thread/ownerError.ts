// What the owner's code threw, as it travels: with positions in the bundle, under a name that all platforms share.

import { TabgradError } from '../../kernels/errors.ts';
import { PROGRAM_FILE, type CodeError } from '../../shared/protocol/program.ts';

/** @param moduleUrl under which this platform loaded the bundle. */
export function ownerError(error: unknown, moduleUrl: string | undefined): CodeError {
  if (!(error instanceof Error))
    return { name: 'Error', message: `threw ${shown(error)}, which is no Error` };
  const named = (text: string): string =>
    moduleUrl === undefined ? text : text.replaceAll(moduleUrl, PROGRAM_FILE);
  const { code } = error as { code?: unknown };
  return {
    ...(error instanceof TabgradError && typeof code === 'string' && { code }),
    name: error.name.slice(0, 100),
    message: named(error.message).slice(0, 4000),
    ...(error.stack !== undefined && { stack: named(error.stack).slice(0, 16_000) }),
  };
}

function shown(value: unknown): string {
  try {
    return (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))).slice(0, 500);
  } catch {
    return 'something';
  }
}
