// Share of rows whose most probable class is wrong; among equals the lowest class counts.

import type { MeanMetric } from './metric.ts';

export const merror: MeanMetric = {
  kind: 'mean',
  name: 'merror',
  margins: 'classScores',
  higherIsBetter: false,
  rowLoss:
    ({ outputs }) =>
    ({ margins, labels, rows }, row) => {
      let best = 0;
      for (let k = 1; k < outputs; k += 1) {
        if (margins[k * rows + row]! > margins[best * rows + row]!) best = k;
      }
      return best === labels[row]! ? 0 : 1;
    },
  finish: (mean) => mean,
};
