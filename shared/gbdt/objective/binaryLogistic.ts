// Two classes, log loss. XGBoost: src/objective/regression_loss.h, LogisticClassification.

import { deterministicExp } from '../../../kernels/fixed/deterministicExp.ts';
import { deterministicLog } from '../../../kernels/fixed/deterministicLog.ts';
import { outOfRange } from './parameterDefinition.ts';
import type { ObjectiveDefinition } from './objective.ts';

/** XGBoost 3.4.1 clips base_score to this far from 0 and 1. */
const LEAST_PROBABILITY = 1e-6;

/** XGBoost's float formula: exp is cut at 88.7, where float32 overflows. */
function sigmoid(margin: number): number {
  return Math.fround(1 / Math.fround(1 + Math.fround(deterministicExp(Math.min(-margin, 88.7)))));
}

export const binaryLogistic = {
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
  baseMargin: (baseScore) => Math.fround(-deterministicLog(1 / baseScore - 1)),
  clipBaseScore(baseScore) {
    if (baseScore !== 0 && baseScore !== 1) return baseScore;
    return Math.fround(baseScore === 0 ? LEAST_PROBABILITY : 1 - LEAST_PROBABILITY);
  },
  transform(margins) {
    for (let i = 0; i < margins.length; i += 1) margins[i] = sigmoid(margins[i]!);
  },
  labelOf: (predictions, from) => Number(predictions[from]! > 0.5),
  modelSection: (settings) => ({
    name: 'binary:logistic',
    reg_loss_param: { scale_pos_weight: String(settings.scale_pos_weight) },
  }),
} as const satisfies ObjectiveDefinition;
