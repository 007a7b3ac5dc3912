// Regression on the absolute error. XGBoost: src/objective/regression_obj.cu, MeanAbsoluteError.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const absoluteError = { ...identityLink, name: 'reg:absoluteerror' } as const satisfies ObjectiveLink;
