// Hazard ratios of survival times. XGBoost: src/objective/regression_obj.cu, CoxRegression.

import { logLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const coxRegression = { ...logLink, name: 'survival:cox' } as const satisfies ObjectiveLink;
