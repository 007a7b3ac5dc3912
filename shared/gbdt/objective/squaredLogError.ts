// Regression on the squared error of log(label + 1). XGBoost: src/objective/regression_loss.h, SquaredLogError.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const squaredLogError = {
  ...identityLink,
  name: 'reg:squaredlogerror',
} as const satisfies ObjectiveLink;
