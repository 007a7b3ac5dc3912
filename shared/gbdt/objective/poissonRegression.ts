// Poisson regression of counts. XGBoost: src/objective/regression_obj.cu, PoissonRegression.

import { logLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const poissonRegression = { ...logLink, name: 'count:poisson' } as const satisfies ObjectiveLink;
