// Failures of fetching blobs.

import { TabgradError } from '../../kernels/errors.ts';

/** A blob could not be had: the coordinator has none of that name, or sent other bytes, or could not be reached. */
export class BlobFetchError extends TabgradError {
  readonly code = 'BLOB_UNAVAILABLE';
}

/** A blob could not be stored at the coordinator. */
export class BlobUploadError extends TabgradError {
  readonly code = 'BLOB_NOT_STORED';
}
