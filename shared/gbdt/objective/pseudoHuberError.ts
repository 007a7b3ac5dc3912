// Regression on the pseudo-Huber loss. XGBoost: src/objective/regression_obj.cu, PseudoHuberRegression.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const pseudoHuberError = {
  ...identityLink,
  name: 'reg:pseudohubererror',
} as const satisfies ObjectiveLink;
