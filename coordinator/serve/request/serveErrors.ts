// Failures of serving, and which status each travels under over HTTP.

import { TooManyAttemptsError } from '../../core/pool/attemptThrottle.ts';
import { TabgradError } from '../../../kernels/errors.ts';
import type { ErrorCode } from '../../../kernels/errors.ts';
import { statusOf } from '../../http/httpErrors.ts';

/** An option or argument of serving is unknown, out of range or contradicts another. */
export class ServeArgumentError extends TabgradError {
  readonly code = 'SERVE_ARGUMENT';
}

/** Rows or tensors don't fit the model; `place` has row and field. */
export class ServeInputError extends TabgradError {
  readonly code = 'SERVE_INPUT_INVALID';
}

/** The body's charset or content coding is not read here. */
export class MediaTypeError extends TabgradError {
  readonly code = 'MEDIA_TYPE_UNSUPPORTED';
  /** Content codings that are read, where the body's was the fault: Accept-Encoding of the answer (RFC 7694). */
  readonly acceptEncoding: string | undefined;

  constructor(message: string, acceptEncoding?: string) {
    super(message);
    this.acceptEncoding = acceptEncoding;
  }
}

/** As many requests wait as `maxQueuedRequests` allows, while replicas run: too much is asked of them. */
export class OverloadedError extends TabgradError {
  readonly code = 'SERVE_OVERLOADED';
  /** When those in line now will have been answered, as far as that can be told. */
  readonly retryAfterS: number;

  constructor(message: string, retryAfterS: number) {
    super(message);
    this.retryAfterS = retryAfterS;
  }
}

/** The deployment is stopping, or none of its replicas runs. */
export class UnavailableError extends TabgradError {
  readonly code = 'SERVE_UNAVAILABLE';
}

/** The replica that had the request ended. */
export class ReplicaLostError extends TabgradError {
  readonly code = 'SERVE_REPLICA_LOST';
}

/** The owner's class threw; `cause` has its error where that happened in this process. */
export class OwnerCodeError extends TabgradError {
  readonly code = 'SERVE_CODE_FAILED';
  /** Where the owner's error had a `status` from 400 to 599: it and its message are the caller's answer. */
  readonly status: number | undefined;

  constructor(message: string, options?: ErrorOptions & { status?: number | undefined }) {
    super(message, {}, options);
    this.status = options?.status;
  }
}

/**
 * 429 says that the service is well and too much is asked of it: slow down. 503 says that it can not answer anybody at
 * the moment. (gRPC tells RESOURCE_EXHAUSTED and UNAVAILABLE apart in the same way, and so do balancers that take a server
 * out for its 503s.)
 */
const statuses: Partial<Record<ErrorCode, number>> = {
  SERVE_INPUT_INVALID: 400,
  SERVE_OVERLOADED: 429,
  SERVE_UNAVAILABLE: 503,
  SERVE_REPLICA_LOST: 503,
  DEADLINE_EXCEEDED: 504,
};

/** Seconds of a Retry-After; undefined where trying again is of no use. */
export function retryAfterS(error: unknown): number | undefined {
  if (error instanceof OverloadedError || error instanceof TooManyAttemptsError) return error.retryAfterS;
  return serveStatusOf(error) === 503 ? 1 : undefined;
}

export function serveStatusOf(error: unknown): number {
  if (error instanceof OwnerCodeError && error.status !== undefined) return error.status;
  return error instanceof TabgradError ? (statuses[error.code] ?? statusOf(error.code)) : 500;
}

/** For `checkOptions`. */
export function serveError(message: string, place: { readonly field: string }): ServeArgumentError {
  return new ServeArgumentError(message, place);
}
