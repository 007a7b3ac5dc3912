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

export type AnswerHeaders = Readonly<Record<string, string>>;

/** A failure that says more of its answer than its code does. */
export abstract class AnsweredError extends TabgradError {
  /** In place of the code's. */
  readonly status: number | undefined = undefined;
  /** Of the answer. */
  readonly headers: AnswerHeaders = {};
}

export class MethodNotAllowedError extends AnsweredError {
  readonly code = 'METHOD_NOT_ALLOWED';
  override readonly headers: AnswerHeaders;

  /** @param hint what to do instead, as a sentence. */
  constructor(method: string, path: string, allowed: readonly string[], hint = '') {
    super(`${method} is not possible on ${path.slice(0, 200)}, only ${allowed.join(', ')}.${hint}`);
    this.headers = { Allow: allowed.join(', ') };
  }
}

export class TokenRequiredError extends AnsweredError {
  readonly code = 'TOKEN_REQUIRED';
  override readonly headers = { 'WWW-Authenticate': 'Bearer' };
}

/** The body's charset or content coding is not read here. */
export class MediaTypeError extends AnsweredError {
  readonly code = 'MEDIA_TYPE_UNSUPPORTED';
  override readonly headers: AnswerHeaders;

  /** @param acceptEncoding content codings that are read, where the body's was the fault (RFC 7694). */
  constructor(message: string, acceptEncoding?: string) {
    super(message);
    this.headers = acceptEncoding === undefined ? {} : { 'Accept-Encoding': acceptEncoding };
  }
}

export class WorkerUnknownError extends TabgradError {
  readonly code = 'WORKER_UNKNOWN';
}

/** What is to be stopped has ended. */
export class ExperimentOverError extends TabgradError {
  readonly code = 'EXPERIMENT_OVER';
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

/**
 * HTTP status of an error code; codes that are not listed are the server's own failures. 429 says that the service is well
 * and too much is asked of it: slow down. 503 says that it can not answer anybody at the moment. (gRPC tells
 * RESOURCE_EXHAUSTED and UNAVAILABLE apart in the same way, and so do balancers that take a server out for its 503s.)
 */
const statuses: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  PROJECT_INVALID: 400,
  RUN_REQUEST_INVALID: 400,
  SERVE_INPUT_INVALID: 400,
  TOKEN_REQUIRED: 401,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
  BLOB_MISSING: 404,
  RUN_UNKNOWN: 404,
  WORKER_UNKNOWN: 404,
  INVITATION_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  RUN_EXISTS: 409,
  RUN_MODEL_UNAVAILABLE: 409,
  EXPERIMENT_OVER: 409,
  BAN_LIST_FULL: 409,
  INVITATION_LIST_FULL: 409,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  BLOB_MISMATCH: 422,
  UPLOAD_REFUSED: 429,
  TOO_MANY_ATTEMPTS: 429,
  SERVE_OVERLOADED: 429,
  APPLICATION_UNREACHABLE: 502,
  COORDINATOR_CLOSED: 503,
  TOO_MANY_CONNECTIONS: 503,
  SERVE_UNAVAILABLE: 503,
  SERVE_REPLICA_LOST: 503,
  DEADLINE_EXCEEDED: 504,
  STORAGE_FULL: 507,
};

export function statusOf(error: unknown): number {
  if (!(error instanceof TabgradError)) return 500;
  const stated = error instanceof AnsweredError ? error.status : undefined;
  return stated ?? statuses[error.code] ?? 500;
}

/** Headers by which a failure says what to do: to try again later, in another way, or with a token. */
export function failureHeaders(error: unknown): AnswerHeaders {
  if (error instanceof AnsweredError && Object.keys(error.headers).length > 0) return error.headers;
  return statusOf(error) === 503 ? { 'Retry-After': '1' } : {};
}
