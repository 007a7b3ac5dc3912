// Ranking for mean average precision. XGBoost: src/objective/lambdarank_obj.cc, LambdaRankMAP.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const rankMap = { ...identityLink, name: 'rank:map' } as const satisfies ObjectiveLink;
