// Failures of the owner's own loop over tensors.

import { TabgradError } from '../../../shared/errors.ts';

/** The loop asked for something that can't be: the run ends with it. */
export class LoopMisuseError extends TabgradError {
  readonly code = 'TRAIN_LOOP_FAILED';
}
