// Failures of columns and batches, wherever they are looked at.

import { TabgradError } from '../../kernels/errors.ts';
import { nearestWord } from '../text/nearestWord.ts';

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

export class UnknownColumnError extends TabgradError {
  readonly code = 'DATA_COLUMN_UNKNOWN';
}

/** A column is of a kind that trees can't take as it is; the message says what to make of it. */
export class ColumnUnsuitableError extends TabgradError {
  readonly code = 'TRAIN_COLUMN_UNSUITABLE';
}

/** Names the column that is not there and the nearest one that is. */
export function unknownColumn(column: string, columns: readonly string[], where: string): UnknownColumnError {
  const near = nearestWord(column, columns);
  const suggestion = near === undefined ? '.' : `; did you mean "${near}"?`;
  const shown = columns.slice(0, 50).join(', ') + (columns.length > 50 ? ', …' : '');
  return new UnknownColumnError(
    `No column "${column}" in ${where}${suggestion} Columns: ${shown || 'none'}.`,
    {
      column,
    },
  );
}

/** Throws {@link UnknownColumnError} for the first of `wanted` that is not among `columns`. */
export function requireColumns(wanted: readonly string[], columns: readonly string[], where: string): void {
  const known = new Set(columns);
  for (const column of wanted) if (!known.has(column)) throw unknownColumn(column, columns, where);
}
