// Several classes, cross-entropy, a tree a class a round. XGBoost: src/objective/multiclass_obj.cu.

import { floatExp } from './floatExp.ts';
import { largestOutput } from './links.ts';
import { outOfRange } from './parameterDefinition.ts';
import type { ObjectiveDefinition, ObjectiveSettings } from './objective.ts';

export const softprob = {
  name: 'multi:softprob',
  gradient: 'softmax',
  margins: 'classScores',
  defaultMetric: 'mlogloss',
  checkParams({ num_class: classes, scale_pos_weight: weight }: ObjectiveSettings) {
    if (classes < 2) throw outOfRange('num_class', classes, 'an integer of at least 2 for multi:softprob');
    if (weight !== 1)
      throw outOfRange('scale_pos_weight', weight, '1: it weighs the positives of binary:logistic');
  },
  outputs: ({ num_class: classes }) => classes,
  labelRange: ({ num_class: classes }) => `an integer from 0 to ${classes - 1}`,
  acceptsLabel: (label, { num_class: classes }) => Number.isInteger(label) && label >= 0 && label < classes,
  baseMargin: (baseScore) => Math.fround(baseScore),
  transform(margins, outputs) {
    for (let first = 0; first < margins.length; first += outputs) {
      let highest = margins[first]!;
      for (let k = 1; k < outputs; k += 1) highest = Math.max(highest, margins[first + k]!);
      let total = 0;
      for (let k = 0; k < outputs; k += 1) {
        const power = floatExp(Math.fround(margins[first + k]! - highest));
        margins[first + k] = power;
        total += power;
      }
      const divisor = Math.fround(total);
      for (let k = 0; k < outputs; k += 1) margins[first + k] = margins[first + k]! / divisor;
    }
  },
  labelOf: largestOutput,
  modelSection: (settings) => ({
    name: 'multi:softprob',
    softmax_multiclass_param: { num_class: String(settings.num_class) },
  }),
} as const satisfies ObjectiveDefinition;
