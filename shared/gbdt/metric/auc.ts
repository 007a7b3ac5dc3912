// Area under the ROC curve, exact over the rows of all workers (computed by rankArea.ts and client/gbdt).

import type { RankMetric } from './metric.ts';

export const auc: RankMetric = {
  kind: 'rank',
  name: 'auc',
  margins: 'logOdds',
  higherIsBetter: true,
};
