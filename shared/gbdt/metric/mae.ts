// Mean absolute error.

import type { MeanMetric } from './metric.ts';
import { deviationUnits, rowDeviation } from './rowDeviation.ts';

export const mae: MeanMetric = {
  kind: 'mean',
  name: 'mae',
  margins: 'values',
  higherIsBetter: false,
  rowLoss(setting) {
    const deviation = rowDeviation(setting);
    return (block, row) => Math.abs(deviation(block, row));
  },
  kernel: (setting) => ({ kind: 'absolute', ...deviationUnits(setting) }),
  finish: (mean) => mean,
};
