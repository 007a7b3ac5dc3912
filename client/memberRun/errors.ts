// Failures of a worker's session. (A lost device is a value, not an exception: see GenerationEnd.)

import { TabgradError } from '../../kernels/errors.ts';

/** The coordinator's plan contradicts itself or the data: the run can't go on with it. */
export class BadAssignmentError extends TabgradError {
  readonly code = 'BAD_ASSIGNMENT';
}

/** The trees of one round are more than the coordinator takes in one message. */
export class TreesTooLargeError extends TabgradError {
  readonly code = 'TREES_TOO_LARGE';
}

/** The owner's own loop threw, or may not run here. */
export class TrainLoopError extends TabgradError {
  readonly code = 'TRAIN_LOOP_FAILED';
}
