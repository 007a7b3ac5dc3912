// Two classes, log loss. XGBoost: src/objective/regression_loss.h, LogisticClassification.

import { logisticLink } from './links.ts';
import { outOfRange } from './parameterDefinition.ts';
import type { ObjectiveDefinition } from './objective.ts';

export const binaryLogistic = {
  ...logisticLink,
  name: 'binary:logistic',
  gradient: 'logistic',
  margins: 'logOdds',
  defaultMetric: 'logloss',
  checkParams({ base_score: baseScore, num_class: classes }) {
    if (!(baseScore > 0 && baseScore < 1)) {
      throw outOfRange('base_score', baseScore, 'a probability in (0, 1) for binary:logistic');
    }
    if (classes > 1)
      throw outOfRange('num_class', classes, '0 for binary:logistic; multi:softprob takes classes');
  },
  outputs: () => 1,
  labelRange: () => '0 or 1',
  acceptsLabel: (label) => label === 0 || label === 1,
  labelOf: (predictions, from) => Number(predictions[from]! > 0.5),
  modelSection: (settings) => ({
    name: 'binary:logistic',
    reg_loss_param: { scale_pos_weight: String(settings.scale_pos_weight) },
  }),
} as const satisfies ObjectiveDefinition;
