// One class for each way in which preparing data, training or keeping its results can fail.

import { TabgradError } from '../../kernels/errors.ts';

/** A dataset has no rows, e.g. after a split or a filter. */
export class NoRowsError extends TabgradError {
  readonly code = 'TRAIN_NO_ROWS';
}

/** The run asks for more workers than there are rows. */
export class TooManyWorkersError extends TabgradError {
  readonly code = 'TRAIN_TOO_MANY_WORKERS';
}

/** The run's folder holds another run, which would be lost. */
export class RunFolderTakenError extends TabgradError {
  readonly code = 'RUN_FOLDER_TAKEN';
}

/** The folder has no run that could be followed, or one of another trainer. */
export class RunNotAttachedError extends TabgradError {
  readonly code = 'RUN_NOT_ATTACHED';
}

/** Results can not be written: no room, no permission. Nothing half-written is left. */
export class ResultWriteError extends TabgradError {
  readonly code = 'RESULT_WRITE_FAILED';
}
