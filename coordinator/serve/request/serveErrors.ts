// Failures of serving.

import { TabgradError } from '../../../kernels/errors.ts';
import { AnsweredError, type AnswerHeaders } from '../../http/httpErrors.ts';

/** An option or argument of serving is unknown, out of range or contradicts another. */
export class ServeArgumentError extends TabgradError {
  readonly code = 'SERVE_ARGUMENT';
}

/** Rows or tensors don't fit the model; `place` has row and field. */
export class ServeInputError extends TabgradError {
  readonly code = 'SERVE_INPUT_INVALID';
}

/** As many requests wait as `maxQueuedRequests` allows, while replicas run: too much is asked of them. */
export class OverloadedError extends AnsweredError {
  readonly code = 'SERVE_OVERLOADED';
  override readonly headers: AnswerHeaders;
  /** When those in line now will have been answered, as far as that can be told. */
  readonly retryAfterS: number;

  constructor(message: string, retryAfterS: number) {
    super(message);
    this.retryAfterS = retryAfterS;
    this.headers = { 'Retry-After': String(retryAfterS) };
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
export class OwnerCodeError extends AnsweredError {
  readonly code = 'SERVE_CODE_FAILED';
  /** Where the owner's error had a `status` from 400 to 599: it and its message are the caller's answer. */
  override readonly status: number | undefined;

  constructor(message: string, options?: ErrorOptions & { status?: number | undefined }) {
    super(message, {}, options);
    this.status = options?.status;
  }
}

/** For `checkOptions`. */
export function serveError(message: string, place: { readonly field: string }): ServeArgumentError {
  return new ServeArgumentError(message, place);
}
