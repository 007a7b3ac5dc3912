// Quantile regression; several quantiles are an output each. XGBoost: src/objective/quantile_obj.cu.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const quantileError = { ...identityLink, name: 'reg:quantileerror' } as const satisfies ObjectiveLink;
