// Two classes, hinge loss: predictions are 0 or 1. XGBoost: src/objective/hinge.cu.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const binaryHinge = {
  ...identityLink,
  name: 'binary:hinge',
  transform(margins) {
    for (let i = 0; i < margins.length; i += 1) margins[i] = margins[i]! > 0 ? 1 : 0;
  },
  labelOf: (predictions, from) => predictions[from]!,
} as const satisfies ObjectiveLink;
