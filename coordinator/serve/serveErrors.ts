// Failures of serving, and which status each travels under over HTTP.

import { TabgradError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { statusOf } from '../server/serverErrors.ts';

/** An option or argument of serving is unknown, out of range or contradicts another. */
export class ServeArgumentError extends TabgradError {
  readonly code = 'SERVE_ARGUMENT';
}

/** Rows or tensors don't fit the model; `place` has row and field. */
export class ServeInputError extends TabgradError {
  readonly code = 'SERVE_INPUT_INVALID';
}

/** As many requests wait as `maxQueuedRequests` allows. */
export class OverloadedError extends TabgradError {
  readonly code = 'SERVE_OVERLOADED';
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

const statuses: Partial<Record<ErrorCode, number>> = {
  SERVE_INPUT_INVALID: 400,
  SERVE_OVERLOADED: 503,
  SERVE_UNAVAILABLE: 503,
  SERVE_REPLICA_LOST: 503,
  DEADLINE_EXCEEDED: 504,
};

export function serveStatusOf(error: unknown): number {
  if (error instanceof OwnerCodeError && error.status !== undefined) return error.status;
  return error instanceof TabgradError ? (statuses[error.code] ?? statusOf(error.code)) : 500;
}
