// reg:squarederror: g = margin - label in margin units, h = 1.

import { ONE } from '../fixedPoint.ts';
import { gradientOp } from './gradientOp.ts';

export const gradientSquaredError = gradientOp({
  name: 'gradientSquaredError',
  tables: [],
  hasWideMargins: true,
  declarations: '',
  body: `
    g = margins[row] - labels[row];
    h = ONE;`,
  reference: ({ storage }, row) => [(storage['margins']?.[row] ?? 0) - (storage['labels']?.[row] ?? 0), ONE],
});
