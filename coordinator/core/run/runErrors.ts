// How a run can fail.

import { TabgradError } from '../../../kernels/errors.ts';

/** Most workers said that they can't do the run; the message is the first one's. `place.peer` names it. */
export class WorkerFailedError extends TabgradError {
  readonly code = 'WORKER_FAILED';
}

/** Members came to different results twice, none of which has a majority. The message names them. */
export class MembersDisagreeError extends TabgradError {
  readonly code = 'MEMBERS_DISAGREE';
}

/** Generation after generation ended without a round. */
export class RunStuckError extends TabgradError {
  readonly code = 'RUN_STUCK';
}

/** The process that the run's owner was in has ended, and the run can't go on without it. */
export class RunAbandonedError extends TabgradError {
  readonly code = 'RUN_ABANDONED';
}

export class RunRequestInvalidError extends TabgradError {
  readonly code = 'RUN_REQUEST_INVALID';
}

export class RunExistsError extends TabgradError {
  readonly code = 'RUN_EXISTS';
}

export class RunUnknownError extends TabgradError {
  readonly code = 'RUN_UNKNOWN';
}

/** The record of the run does not have what it takes: it is of another kind, too early, or an earlier version kept it. */
export class RunModelUnavailableError extends TabgradError {
  readonly code = 'RUN_MODEL_UNAVAILABLE';
}
