// Mean absolute error.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { MeanMetric } from './metric.ts';

export const mae: MeanMetric = {
  kind: 'mean',
  name: 'mae',
  objectives: ['reg:squarederror'],
  higherIsBetter: false,
  // Margins and labels differ by less than 2^30 units.
  lossFractionBits: ({ marginFractionBits }) => marginFractionBits + 20,
  rowLoss({ marginFractionBits }) {
    const unit = scaleByPowerOfTwo(1, -marginFractionBits);
    return ({ margins, labels }, row) => Math.abs(margins[row]! - labels[row]!) * unit;
  },
  finish: (mean) => mean,
};
