// What strangers, workers and callers are told of failures of the server itself: of what kind, and not where. Messages for
// the owner name folders, files and databases.

import { errorCodes, TabgradError, type ErrorCode } from '../kernels/errors.ts';

/** Of files, folders, databases and defects of the server. */
const OWN_FAILURES = /^(INTERNAL|STORAGE|DATA|CHECKPOINT|RESULT|CONFIG|OUTPUT|TLS)(_|$)/;

export interface OutsideMessage {
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether there is more to tell the owner. */
  readonly isShortened: boolean;
}

export function outsideMessage(error: unknown): OutsideMessage {
  const code = error instanceof TabgradError ? error.code : 'INTERNAL';
  if (error instanceof TabgradError && !OWN_FAILURES.test(code))
    return { code, message: error.message, isShortened: false };
  return { code, message: errorCodes[code], isShortened: true };
}
