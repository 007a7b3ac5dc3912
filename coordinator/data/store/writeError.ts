// Failures of writing as coded errors.

import { TabgradError } from '../../../kernels/errors.ts';
import { isDiskFull } from '../../files/isDiskFull.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import { DiskFullError, WriteFailedError } from '../plan/dataErrors.ts';

/** @param what the file or folder that was written. */
export function writeError(error: unknown, what: string): TabgradError {
  if (error instanceof TabgradError) return error;
  if (isDiskFull(error)) {
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
