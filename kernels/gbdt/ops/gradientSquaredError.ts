// reg:squarederror: g = margin - label in margin units, h = 1.

import { ONE } from '../fixedPoint.ts';
import { gradientOf } from './gradientOf.ts';

export const gradientSquaredError = gradientOf({
  kind: 'squaredError',
  name: 'gradientSquaredError',
  declarations: '',
  body: `
    g = margins[row] - labels[row];
    h = ONE;`,
  ofRow: (_, { margins, labels }, row) => [(margins[row] ?? 0) - (labels[row] ?? 0), ONE],
  ofBlock(_, { rows, gradients, margins, labels }) {
    for (let row = 0; row < rows; row += 1) {
      gradients[2 * row] = (margins[row] ?? 0) - (labels[row] ?? 0);
      gradients[2 * row + 1] = ONE;
    }
  },
});
