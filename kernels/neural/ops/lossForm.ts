// Which loss, of what, with which metrics.

export type LossKind =
  /** Binary cross-entropy of probabilities; of logits. */
  | 'binary'
  | 'binaryLogits'
  /** Cross-entropy of probabilities (a row is normalised first, as in tfjs); of logits. */
  | 'crossEntropy'
  | 'crossEntropyLogits'
  | 'squared';

export type LossMetric = 'accuracy' | 'meanAbsoluteError' | 'meanSquaredError';

export interface LossForm {
  readonly kind: LossKind;
  /** Positions of an example: their losses are averaged. */
  readonly rowsPerExample: number;
  readonly length: number;
  /** Targets are the class of each row. */
  readonly sparse: boolean;
  readonly metrics: readonly LossMetric[];
  /** Right is the largest value of a row; else each value above one half for itself. */
  readonly accuracyByMaximum: boolean;
}

/** tfjs cuts probabilities to [ε, 1 − ε] before their logarithm. */
export const PROBABILITY_MARGIN = 1e-7;
