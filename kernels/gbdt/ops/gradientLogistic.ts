// binary:logistic: g = p - y, h = p(1 - p), with p from the sigmoid table.

import { ONE } from '../fixedPoint.ts';
import { curvature } from '../gradients.ts';
import { sigmoidFixed } from '../probabilityTable.ts';
import { sigmoidWgsl } from './fixedPointWgsl.ts';
import { gradientOf } from './gradientOf.ts';

export const gradientLogistic = gradientOf({
  kind: 'logistic',
  name: 'gradientLogistic',
  table: 'sigmoid',
  declarations: sigmoidWgsl,
  body: `
    let p = sigmoidFixed(margins[row]);
    g = i32(p) - labels[row] * i32(ONE);
    h = curvature(p);`,
  ofRow: ({ sigmoid }, { margins, labels }, row) => {
    const p = sigmoidFixed(sigmoid, margins[row] ?? 0);
    return [p - (labels[row] ?? 0) * ONE, curvature(p)];
  },
  ofBlock({ sigmoid }, { rows, gradients, margins, labels }) {
    for (let row = 0; row < rows; row += 1) {
      // Checked blocks have a margin and a label for each row: `?? 0` here would cost a tenth of the loop.
      const p = sigmoidFixed(sigmoid, margins[row]!);
      gradients[2 * row] = p - labels[row]! * ONE;
      gradients[2 * row + 1] = curvature(p);
    }
  },
});
