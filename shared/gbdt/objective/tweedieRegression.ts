// Tweedie regression. XGBoost: src/objective/regression_obj.cu, TweedieRegression.

import { logLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const tweedieRegression = { ...logLink, name: 'reg:tweedie' } as const satisfies ObjectiveLink;
