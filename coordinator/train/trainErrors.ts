// One class for each way in which preparing data, training or keeping its results can fail.

import { TabgradError } from '../../shared/errors.ts';

/** An argument of the trainer is missing, out of range or contradicts another. */
export class TrainArgumentError extends TabgradError {
  readonly code = 'TRAIN_ARGUMENT';
}

/** A dataset has no rows, e.g. after a split or a filter. */
export class NoRowsError extends TabgradError {
  readonly code = 'TRAIN_NO_ROWS';
}

/** The run asks for more workers than there are rows. */
export class TooManyWorkersError extends TabgradError {
  readonly code = 'TRAIN_TOO_MANY_WORKERS';
}

/** Local workers are gone and can not be replaced. */
export class WorkersLostError extends TabgradError {
  readonly code = 'TRAIN_WORKERS_LOST';
}

/** A checkpoint does not exist, can not be read or does not fit the run. */
export class CheckpointError extends TabgradError {
  readonly code = 'CHECKPOINT_INVALID';
}

/** Results can not be written: no room, no permission. Nothing half-written is left. */
export class ResultWriteError extends TabgradError {
  readonly code = 'RESULT_WRITE_FAILED';
}
