// One class for each way in which a program on a worker can fail.

import { visibleText } from '../../kernels/visibleText.ts';
import { TabgradError, type ErrorPlace } from '../../kernels/errors.ts';

/** The owner's module does not exist, does not parse, or imports what workers don't have. */
export class BundleError extends TabgradError {
  readonly code = 'PROGRAM_BUNDLE_FAILED';
}

export class ExportMissingError extends TabgradError {
  readonly code = 'PROGRAM_EXPORT_MISSING';
}

/** The program could not be opened: its constructor threw, or the worker refused it. */
export class ProgramStartError extends TabgradError {
  readonly code = 'PROGRAM_START_FAILED';
}

/** The owner's code threw. `ownerStack` has positions in the owner's sources. */
export class ProgramCodeError extends TabgradError {
  readonly code = 'PROGRAM_CODE_FAILED';
  readonly ownerStack: string | undefined;

  constructor(message: string, ownerStack: string | undefined, place: ErrorPlace = {}) {
    super(message, place);
    this.ownerStack = ownerStack === undefined ? undefined : visibleText(ownerStack);
  }
}

/** The worker or its thread is gone; what was in its hands may or may not have been done. */
export class ProgramLostError extends TabgradError {
  readonly code = 'PROGRAM_LOST';
}
