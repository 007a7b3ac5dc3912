// One class for each way in which a tuning experiment can fail as a whole, and one for a trial's own function.

import { TabgradError } from '../../../kernels/errors.ts';

/** An option of the tuner is missing, out of range or contradicts another. */
export class TuneArgumentError extends TabgradError {
  readonly code = 'TUNE_ARGUMENT';
}

/** A search space has nothing to search, or a part of it that no value fits. `place.field` has its path. */
export class SearchSpaceError extends TabgradError {
  readonly code = 'TUNE_SPACE_INVALID';
}

/** No trial reported the metric that is to be tuned. */
export class TuneMetricError extends TabgradError {
  readonly code = 'TUNE_METRIC_MISSING';
}

/** A folder holds no experiment, or one that can not be gone on with. */
export class ExperimentError extends TabgradError {
  readonly code = 'TUNE_EXPERIMENT_INVALID';
}

/** The owner's own function threw, or reported something that is no set of metrics. */
export class TrialFailedError extends TabgradError {
  readonly code = 'TUNE_TRIAL_FAILED';
}

/** A scheduler pauses trials at an iteration, and the owner's function gave no checkpoint to go on from there. */
export class CheckpointMissingError extends TabgradError {
  readonly code = 'TUNE_CHECKPOINT_MISSING';
}
