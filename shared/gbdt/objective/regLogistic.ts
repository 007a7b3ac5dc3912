// Regression of numbers in [0, 1] with the link of binary:logistic.
// XGBoost: src/objective/regression_loss.h, LogisticRegression.

import { logisticLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const regLogistic = { ...logisticLink, name: 'reg:logistic' } as const satisfies ObjectiveLink;
