// Failures of the HTTP side, and which status each error code travels under.

import { TabgradError } from '../../kernels/errors.ts';
import type { ErrorCode } from '../../kernels/errors.ts';

export class PortInUseError extends TabgradError {
  readonly code = 'PORT_IN_USE';
}

export class ListenError extends TabgradError {
  readonly code = 'LISTEN_FAILED';
}

export class BadRequestError extends TabgradError {
  readonly code = 'BAD_REQUEST';
}

export class BodyTooLargeError extends TabgradError {
  readonly code = 'BODY_TOO_LARGE';
}

export class NotFoundError extends TabgradError {
  readonly code = 'NOT_FOUND';
}

export class MethodNotAllowedError extends TabgradError {
  readonly code = 'METHOD_NOT_ALLOWED';
}

export class TokenRequiredError extends TabgradError {
  readonly code = 'TOKEN_REQUIRED';
}

export class WorkerUnknownError extends TabgradError {
  readonly code = 'WORKER_UNKNOWN';
}

export class OriginRefusedError extends TabgradError {
  readonly code = 'ORIGIN_REFUSED';
}

export class CoordinatorClosedError extends TabgradError {
  readonly code = 'COORDINATOR_CLOSED';
}

export class TooManyConnectionsError extends TabgradError {
  readonly code = 'TOO_MANY_CONNECTIONS';
}

/** HTTP status of an error code; codes that are not listed are the server's own failures. */
const statuses: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  RUN_REQUEST_INVALID: 400,
  TOKEN_REQUIRED: 401,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
  BLOB_MISSING: 404,
  RUN_UNKNOWN: 404,
  WORKER_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  RUN_EXISTS: 409,
  BAN_LIST_FULL: 409,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  BLOB_MISMATCH: 422,
  UPLOAD_REFUSED: 429,
  TOO_MANY_ATTEMPTS: 429,
  COORDINATOR_CLOSED: 503,
  TOO_MANY_CONNECTIONS: 503,
  STORAGE_FULL: 507,
};

export function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 500;
}
