// Mean absolute error.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { MeanMetric } from './metric.ts';

export const mae: MeanMetric = {
  kind: 'mean',
  name: 'mae',
  objectives: ['reg:squarederror'],
  higherIsBetter: false,
  rowLoss({ marginFractionBits }) {
    const unit = scaleByPowerOfTwo(1, -marginFractionBits);
    return ({ margins, labels }, row) => Math.abs(margins[row]! * unit - labels[row]!);
  },
  finish: (mean) => mean,
};
