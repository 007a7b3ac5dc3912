// binary:logistic: g = p - y, h = p(1 - p), with p from the sigmoid table.

import { ONE } from '../fixedPoint.ts';
import { curvature } from '../gradients.ts';
import { sigmoidFixed } from '../probabilityTable.ts';
import { sigmoidWgsl } from './fixedPointWgsl.ts';
import { gradientOp } from './gradientOp.ts';

export const gradientLogistic = gradientOp({
  name: 'gradientLogistic',
  tables: [{ name: 'sigmoidTable', type: 'array<u32>', access: 'read' }],
  declarations: sigmoidWgsl,
  body: `
    let p = sigmoidFixed(margins[row]);
    g = i32(p) - labels[row] * i32(ONE);
    h = curvature(p);`,
  reference: ({ storage }, row) => {
    const p = sigmoidFixed(storage['sigmoidTable'] as Uint32Array, storage['margins']?.[row] ?? 0);
    return [p - (storage['labels']?.[row] ?? 0) * ONE, curvature(p)];
  },
});
