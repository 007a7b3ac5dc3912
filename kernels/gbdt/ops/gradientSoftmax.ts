// multi:softprob: g = p - [y = output], h = 2p(1 - p), with p = e^(m - max) / sum from the exp table.

import { ONE } from '../fixedPoint.ts';
import { curvature, softmaxFixed } from '../gradients.ts';
import { softmaxWgsl } from './fixedPointWgsl.ts';
import { gradientOp } from './gradientOp.ts';

export const gradientSoftmax = gradientOp({
  name: 'gradientSoftmax',
  tables: [{ name: 'expTable', type: 'array<u32>', access: 'read' }],
  declarations: softmaxWgsl,
  body: `
    var highest = margins[row];
    for (var k = 1u; k < call.outputs; k++) { highest = max(highest, margins[k * block.rows + row]); }
    var total = 0u;
    for (var k = 0u; k < call.outputs; k++) {
      total += expFixed(u32(highest - margins[k * block.rows + row])) >> call.shift;
    }
    let part = expFixed(u32(highest - margins[call.output * block.rows + row])) >> call.shift;
    let p = divideToOne(part, total);
    g = i32(p) - select(0i, i32(ONE), labels[row] == i32(call.output));
    h = 2u * curvature(p);`,
  reference: ({ storage, uniforms }, row) => {
    const rows = uniforms['block']?.['rows'] ?? 0;
    const { outputs = 1, output = 0 } = uniforms['call'] ?? {};
    const table = storage['expTable'] as Uint32Array;
    const p = softmaxFixed(table, storage['margins'] as Int32Array, row, rows, outputs, output);
    return [p - (storage['labels']?.[row] === output ? ONE : 0), 2 * curvature(p)];
  },
});
