// Training has gone wrong for good: it would do so again from the same state.

import { TabgradError } from '../../../shared/errors.ts';

/** The loss of a step is NaN or infinite. */
export class LossNotFiniteError extends TabgradError {
  readonly code = 'NEURAL_LOSS_NOT_FINITE';
}
