// How a neural net can be unusable.

import { TabgradError } from '../../../kernels/errors.ts';

/** A topology, or the values that belong to it, do not have the expected form. */
export class NeuralModelError extends TabgradError {
  readonly code = 'NEURAL_MODEL_INVALID';
}

/** Weights are of another model, or incomplete. `place.field` names the tensor. */
export class WeightsMismatchError extends TabgradError {
  readonly code = 'NEURAL_WEIGHTS_MISMATCH';
}

/** Thrown while a topology is read, and turned into a value: tfjs may know what the compiled engine does not. */
export class UnsupportedLayer extends Error {
  readonly layer: string;
  readonly className: string;
  readonly reason: string;

  constructor(layer: string, className: string, reason: string) {
    super(`${className} "${layer}": ${reason}`);
    this.layer = layer;
    this.className = className;
    this.reason = reason;
  }
}
