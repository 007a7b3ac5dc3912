// Root of the mean squared error.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { MeanMetric } from './metric.ts';

export const rmse: MeanMetric = {
  kind: 'mean',
  name: 'rmse',
  objectives: ['reg:squarederror'],
  higherIsBetter: false,
  rowLoss({ marginFractionBits }) {
    const unit = scaleByPowerOfTwo(1, -marginFractionBits);
    return ({ margins, labels }, row) => {
      const difference = margins[row]! * unit - labels[row]!;
      return difference * difference;
    };
  },
  finish: (mean) => Math.sqrt(mean),
};
