// Ranking by pairs. XGBoost: src/objective/lambdarank_obj.cc, LambdaRankPairwise.

import { identityLink } from './links.ts';
import type { ObjectiveLink } from './objective.ts';

export const rankPairwise = { ...identityLink, name: 'rank:pairwise' } as const satisfies ObjectiveLink;
