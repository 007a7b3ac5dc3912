// Failures of columns and batches, wherever they are looked at.

import { TabgradError } from '../errors.ts';

/** A column or file uses a feature that is not supported. */
export class UnsupportedDataError extends TabgradError {
  readonly code = 'DATA_UNSUPPORTED';
}

/** Columns that must agree, or be of a certain kind, are of another. */
export class TypeMismatchError extends TabgradError {
  readonly code = 'DATA_TYPE_MISMATCH';
}

/** A user's function threw (the cause is kept) or returned something that is not data. */
export class UserFunctionError extends TabgradError {
  readonly code = 'DATA_USER_FUNCTION';
}
