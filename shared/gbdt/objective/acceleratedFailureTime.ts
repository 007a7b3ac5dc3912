// Survival times under bounds. XGBoost: src/objective/aft_obj.cu.

import { logLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const acceleratedFailureTime = { ...logLink, name: 'survival:aft' } as const satisfies ObjectiveLink;
