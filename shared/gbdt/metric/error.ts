// Share of rows whose more probable class is wrong.

import type { MeanMetric } from './metric.ts';

export const error: MeanMetric = {
  kind: 'mean',
  name: 'error',
  margins: 'logOdds',
  higherIsBetter: false,
  // A probability of exactly one half counts as the negative class, as in XGBoost.
  rowLoss:
    () =>
    ({ margins, labels }, row) =>
      margins[row]! > 0 === (labels[row] === 1) ? 0 : 1,
  kernel: () => ({ kind: 'error', unit: 1 }),
  finish: (mean) => mean,
};
