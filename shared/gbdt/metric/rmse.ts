// Root of the mean squared error.

import type { MeanMetric } from './metric.ts';
import { deviationUnits, rowDeviation } from './rowDeviation.ts';

export const rmse: MeanMetric = {
  kind: 'mean',
  name: 'rmse',
  margins: 'values',
  higherIsBetter: false,
  rowLoss(setting) {
    const deviation = rowDeviation(setting);
    return (block, row) => {
      const difference = deviation(block, row);
      return difference * difference;
    };
  },
  kernel: (setting) => ({ kind: 'square', ...deviationUnits(setting) }),
  finish: (mean) => Math.sqrt(mean),
};
