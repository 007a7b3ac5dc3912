// Two classes, log loss; predictions and base_score are log odds.
// XGBoost: src/objective/regression_loss.h, LogisticRaw.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const logitRaw = { ...identityLink, name: 'binary:logitraw' } as const satisfies ObjectiveLink;
