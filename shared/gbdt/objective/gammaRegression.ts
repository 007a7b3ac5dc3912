// Gamma regression. XGBoost: src/objective/regression_loss.h, GammaDeviance.

import { logLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const gammaRegression = { ...logLink, name: 'reg:gamma' } as const satisfies ObjectiveLink;
