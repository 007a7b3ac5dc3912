// One class for each way in which reading, transforming or writing data can fail.

import { TabgradError } from '../../shared/errors.ts';
import { nearestWord } from '../../shared/text/nearestWord.ts';

/** An argument of a data operation is out of range or of the wrong kind. */
export class DataArgumentError extends TabgradError {
  readonly code = 'DATA_ARGUMENT';
}

export class FileMissingError extends TabgradError {
  readonly code = 'DATA_FILE_MISSING';
}

export class FolderEmptyError extends TabgradError {
  readonly code = 'DATA_FOLDER_EMPTY';
}

/** Truncated, damaged, or not of the expected format. */
export class CorruptFileError extends TabgradError {
  readonly code = 'DATA_FILE_CORRUPT';
}

/** The file is not the one that the dataset first opened. */
export class FileChangedError extends TabgradError {
  readonly code = 'DATA_FILE_CHANGED';
}

export class FileUnreadableError extends TabgradError {
  readonly code = 'DATA_FILE_UNREADABLE';
}

/** A row of CSV or JSON does not parse; the message gives file and line. */
export class MalformedRowError extends TabgradError {
  readonly code = 'DATA_ROW_MALFORMED';
}

export class UnknownColumnError extends TabgradError {
  readonly code = 'DATA_COLUMN_UNKNOWN';
}

export class UnreachableError extends TabgradError {
  readonly code = 'DATA_UNREACHABLE';
}

/** The host answered, with an error status. */
export class HttpStatusError extends TabgradError {
  readonly code = 'DATA_HTTP_STATUS';
}

export class AccessDeniedError extends TabgradError {
  readonly code = 'DATA_ACCESS_DENIED';
}

export class DiskFullError extends TabgradError {
  readonly code = 'DATA_DISK_FULL';
}

export class WriteFailedError extends TabgradError {
  readonly code = 'DATA_WRITE_FAILED';
}

/** Names the column that is not there and the nearest one that is. */
export function unknownColumn(column: string, columns: readonly string[], where: string): UnknownColumnError {
  const near = nearestWord(column, columns);
  const suggestion = near === undefined ? '' : `; did you mean "${near}"?`;
  const shown = columns.slice(0, 50).join(', ') + (columns.length > 50 ? ', …' : '');
  return new UnknownColumnError(
    `No column "${column}" in ${where}${suggestion} Columns: ${shown || 'none'}.`.replace('?;', '?'),
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
