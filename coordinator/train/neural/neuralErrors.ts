// How preparing a neural run can fail.

import { TabgradError } from '../../../kernels/errors.ts';

/** A dataset does not fit the model: shape, kind or range. `place` has column and row. */
export class NeuralDataError extends TabgradError {
  readonly code = 'NEURAL_DATA_MISMATCH';
}
