// Ranking for NDCG. XGBoost: src/objective/lambdarank_obj.cc, LambdaRankNDCG.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const rankNdcg = { ...identityLink, name: 'rank:ndcg' } as const satisfies ObjectiveLink;
