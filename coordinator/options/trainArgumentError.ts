// The error of a wrong argument of a trainer.

import { TabgradError } from '../../kernels/errors.ts';
import type { ErrorMaker } from '../schema/checkOptions.ts';

/** An argument of the trainer is missing, out of range or contradicts another. */
export class TrainArgumentError extends TabgradError {
  readonly code = 'TRAIN_ARGUMENT';
}

export const trainError: ErrorMaker = (message, place) => new TrainArgumentError(message, place);
