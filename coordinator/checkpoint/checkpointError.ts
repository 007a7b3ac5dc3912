import { TabgradError } from '../../kernels/errors.ts';

/** A checkpoint does not exist, can not be read or does not fit the run. */
export class CheckpointError extends TabgradError {
  readonly code = 'CHECKPOINT_INVALID';
}
