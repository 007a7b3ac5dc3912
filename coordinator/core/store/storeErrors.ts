// Failures of the record, whatever database it is in.

import { TabgradError } from '../../../kernels/errors.ts';
import { StorageError, StorageFullError } from '../blobs/blobErrors.ts';
import { isDiskFull } from '../../files/isDiskFull.ts';

/** Another coordinator has this record open. */
export class StorageInUseError extends TabgradError {
  readonly code = 'STORAGE_IN_USE';
}

/** The record was written by a later version of tabgrad. */
export class StorageVersionError extends TabgradError {
  readonly code = 'STORAGE_VERSION';
}

/** A driver's error as one of ours; ours pass through. */
export function storeFailure(error: unknown, what: string): Error {
  if (error instanceof TabgradError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : String(error);
  // 53100 is PostgreSQL's disk_full.
  if (isDiskFull(error) || code === '53100') {
    return new StorageFullError(`${what}: the disk has no room left.`, {}, { cause: error });
  }
  return new StorageError(`${what}: ${text}`, {}, { cause: error });
}

const CONNECTION_CODES = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'];

/** Whether the database server may be back in a moment. SQLSTATE 08: connection; 57P: the server is going or coming. */
export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return CONNECTION_CODES.includes(code) || /^(08|57P)/.test(code);
  // The driver's own, which have no code.
  return typeof message === 'string' && /^(Connection terminated|timeout exceeded|Client has)/.test(message);
}
