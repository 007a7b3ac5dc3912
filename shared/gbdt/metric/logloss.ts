// Mean negative log-likelihood of two classes.

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import type { MeanMetric } from './metric.ts';
import { buildSoftplus, softplusTable } from './softplusTable.ts';

export const logloss: MeanMetric = {
  kind: 'mean',
  name: 'logloss',
  margins: 'logOdds',
  higherIsBetter: false,
  rowLoss({ marginFractionBits }) {
    const softplus = buildSoftplus();
    const unit = scaleByPowerOfTwo(1, -marginFractionBits);
    return ({ margins, labels }, row) =>
      softplus((labels[row] === 1 ? margins[row]! : -margins[row]!) * unit);
  },
  kernel: ({ marginFractionBits }) => ({
    kind: 'logloss',
    unit: scaleByPowerOfTwo(1, -marginFractionBits),
    table: softplusTable(),
  }),
  finish: (mean) => mean,
};
