// Failures of parameters, labels, trees and model files, one class each.

import { TabgradError } from '../../../kernels/errors.ts';

export class UnknownParameterError extends TabgradError {
  readonly code = 'PARAMETER_UNKNOWN';
}

export class ParameterRangeError extends TabgradError {
  readonly code = 'PARAMETER_OUT_OF_RANGE';
}

export class LabelError extends TabgradError {
  readonly code = 'LABEL_INVALID';
}

export class WeightError extends TabgradError {
  readonly code = 'WEIGHT_INVALID';
}

export class CategoryError extends TabgradError {
  readonly code = 'CATEGORY_INVALID';
}

/** What the members of a group must agree on is not of the expected form. */
export class TrainSpecError extends TabgradError {
  readonly code = 'TRAIN_SPEC_MALFORMED';
}

/** Sums of gradients would no longer be exact, so trees would depend on who adds what up first. */
export class SumsInexactError extends TabgradError {
  readonly code = 'SUMS_INEXACT';
}

export class TreeFormatError extends TabgradError {
  readonly code = 'TREE_MALFORMED';
}

export class ModelFormatError extends TabgradError {
  readonly code = 'MODEL_MALFORMED';
}

/** An option of a prediction, or the shape of its columns, does not fit the model. */
export class PredictArgumentError extends TabgradError {
  readonly code = 'PREDICT_ARGUMENT';
}

export class ModelUnsupportedError extends TabgradError {
  readonly code = 'MODEL_UNSUPPORTED';
}
