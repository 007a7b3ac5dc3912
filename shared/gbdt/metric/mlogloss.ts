// Mean negative log-likelihood of several classes.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import { deterministicExp } from '../../../kernels/fixed/deterministicExp.ts';
import { deterministicLog } from '../../../kernels/fixed/deterministicLog.ts';
import type { MeanMetric } from './metric.ts';

export const mlogloss: MeanMetric = {
  kind: 'mean',
  name: 'mlogloss',
  margins: 'classScores',
  higherIsBetter: false,
  rowLoss({ marginFractionBits, outputs }) {
    const unit = scaleByPowerOfTwo(1, -marginFractionBits);
    return ({ margins, labels, rows }, row) => {
      let highest = margins[row]!;
      for (let k = 1; k < outputs; k += 1) highest = Math.max(highest, margins[k * rows + row]!);
      let total = 0;
      for (let k = 0; k < outputs; k += 1)
        total += deterministicExp((margins[k * rows + row]! - highest) * unit);
      return deterministicLog(total) + (highest - margins[labels[row]! * rows + row]!) * unit;
    };
  },
  finish: (mean) => mean,
};
