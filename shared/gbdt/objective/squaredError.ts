// Regression on squared error. XGBoost: src/objective/regression_loss.h, LinearSquareLoss.

import { outOfRange } from './parameterDefinition.ts';
import type { ObjectiveDefinition } from './objective.ts';

export const squaredError = {
  name: 'reg:squarederror',
  gradient: 'squaredError',
  margins: 'values',
  defaultMetric: 'rmse',
  checkParams({ num_class: classes, scale_pos_weight: weight }) {
    if (classes > 1) throw outOfRange('num_class', classes, '0 for reg:squarederror');
    if (weight !== 1)
      throw outOfRange('scale_pos_weight', weight, '1: it weighs the positives of binary:logistic');
  },
  outputs: () => 1,
  labelRange: () => 'a finite number',
  acceptsLabel: () => true,
  baseMargin: (baseScore) => Math.fround(baseScore),
  transform() {
    // Margins are the predictions.
  },
  modelSection: () => ({ name: 'reg:squarederror', reg_loss_param: { scale_pos_weight: '1' } }),
} as const satisfies ObjectiveDefinition;
