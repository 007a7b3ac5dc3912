// Failures of talking to a coordinator in another process.

import { errorCodes, TabgradError, type ErrorCode } from '../../../kernels/errors.ts';

/** Nobody answers at the coordinator's address, or somebody who is no coordinator of this version. */
export class CoordinatorUnreachableError extends TabgradError {
  readonly code = 'COORDINATOR_UNREACHABLE';
  /** Nobody answered; false where somebody else did. */
  readonly mayComeBack: boolean;

  constructor(message: string, mayComeBack = true, options?: ErrorOptions) {
    super(message, {}, options);
    this.mayComeBack = mayComeBack;
  }
}

/** What the coordinator reported, under the code that it reported. */
export class RemoteError extends TabgradError {
  readonly code: ErrorCode;

  /** @param code one that only a newer version knows becomes INTERNAL. */
  constructor(code: string, message: string) {
    super(message);
    this.code = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'INTERNAL';
  }
}
