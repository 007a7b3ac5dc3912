// Failures of talking to a coordinator in another process.

import { errorCodes, TabgradError, type ErrorCode } from '../../../kernels/errors.ts';

/** No server answers at the coordinator's address, or one that is no coordinator of this version. */
export class CoordinatorUnreachableError extends TabgradError {
  readonly code = 'COORDINATOR_UNREACHABLE';
  /** No server answered; false where another one did. */
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
