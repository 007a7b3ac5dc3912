// Expectile regression; several expectiles are an output each. XGBoost: src/objective/regression_obj.cu.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const expectileError = {
  ...identityLink,
  name: 'reg:expectileerror',
} as const satisfies ObjectiveLink;
