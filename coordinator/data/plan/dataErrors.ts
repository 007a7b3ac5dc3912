// One class for each way in which reading, transforming or writing data can fail.

import { TabgradError } from '../../../kernels/errors.ts';

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

/** Reading would take more memory than the operation may use. */
export class DataTooLargeError extends TabgradError {
  readonly code = 'DATA_TOO_LARGE';
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

export class UnreachableError extends TabgradError {
  readonly code = 'DATA_UNREACHABLE';
}

/** The host was reached, and the connection broke while it sent. */
export class LostConnectionError extends UnreachableError {}

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
