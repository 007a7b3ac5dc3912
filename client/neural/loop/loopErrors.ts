// Failures of the owner's own loop over tensors.

import { AbortedError, TabgradError } from '../../../kernels/errors.ts';

/** The loop asked for something that can't be: the run ends with it. */
export class LoopMisuseError extends TabgradError {
  readonly code = 'TRAIN_LOOP_FAILED';
}

/** Thrown into the owner's loop to end it where the generation ends; it is not passed on. */
export class GenerationOver extends AbortedError {
  constructor() {
    super('this generation has no further report');
  }
}
