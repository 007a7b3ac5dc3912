// Failures of the blob store.

import { TabgradError } from '../../../kernels/errors.ts';

/** The volume of the storage folder is full; what was being written is gone. */
export class StorageFullError extends TabgradError {
  readonly code = 'STORAGE_FULL';
}

/** The storage folder can't be made, read or written. */
export class StorageError extends TabgradError {
  readonly code = 'STORAGE_FAILED';
}

/** Nothing is stored under that SHA-256. */
export class BlobMissingError extends TabgradError {
  readonly code = 'BLOB_MISSING';
}

/** The bytes are not the ones that were announced, or not the ones that were stored. */
export class BlobMismatchError extends TabgradError {
  readonly code = 'BLOB_MISMATCH';
}

/** More bytes came than the caller accepts. */
export class BlobTooLargeError extends TabgradError {
  readonly code = 'BODY_TOO_LARGE';
}
