// Failures of writing as coded errors.

import { TabgradError } from '../../../shared/errors.ts';
import { DiskFullError, messageOf, WriteFailedError } from '../errors.ts';

/** @param what the file or folder that was written. */
export function writeError(error: unknown, what: string): TabgradError {
  if (error instanceof TabgradError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DiskFullError(
      `There is no room left on the disk for ${what}.`,
      { file: what },
      { cause: error },
    );
  }
  return new WriteFailedError(
    `${what} could not be written: ${messageOf(error)}.`,
    { file: what },
    { cause: error },
  );
}
