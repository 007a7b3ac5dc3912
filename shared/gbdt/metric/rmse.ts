// Root of the mean squared error.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { MeanMetric } from './metric.ts';

export const rmse: MeanMetric = {
  kind: 'mean',
  name: 'rmse',
  objectives: ['reg:squarederror'],
  higherIsBetter: false,
  // Margins and labels differ by less than 2^30 units, so squares in units of 2^(8 - 2 bits) stay below 2^52.
  lossFractionBits: ({ marginFractionBits }) => 2 * marginFractionBits - 8,
  rowLoss({ marginFractionBits }) {
    const unit = scaleByPowerOfTwo(1, -marginFractionBits);
    return ({ margins, labels }, row) => {
      const difference = (margins[row]! - labels[row]!) * unit;
      return difference * difference;
    };
  },
  finish: (mean) => Math.sqrt(mean),
};
