import { TabgradError } from '../../kernels/errors.ts';

/** An argument of the trainer is missing, out of range or contradicts another. */
export class TrainArgumentError extends TabgradError {
  readonly code = 'TRAIN_ARGUMENT';
}
