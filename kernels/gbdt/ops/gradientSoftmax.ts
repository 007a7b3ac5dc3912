// multi:softprob: g = p - [y = output], h = 2p(1 - p), with p = e^(m - max) / sum from the exp table.

import type { CpuBlock } from '../cpuBlock.ts';
import { ONE, divideToOne } from '../fixedPoint.ts';
import { curvature, softmaxFixed } from '../gradients.ts';
import { expFixed, softmaxShift } from '../probabilityTable.ts';
import { softmaxWgsl } from './fixedPointWgsl.ts';
import { gradientOf } from './gradientOf.ts';

/** Largest margin and sum of exponentials of each row: shared by the outputs of a round. */
function normalise(table: Uint32Array, block: CpuBlock, outputs: number): void {
  const { rows, margins } = block;
  const { highest, total } = block.softmax;
  const shift = softmaxShift(outputs);
  for (let row = 0; row < rows; row += 1) {
    let top = margins[row] ?? 0;
    for (let k = 1; k < outputs; k += 1) top = Math.max(top, margins[k * rows + row] ?? 0);
    let sum = 0;
    for (let k = 0; k < outputs; k += 1)
      sum += expFixed(table, top - (margins[k * rows + row] ?? 0)) >> shift;
    highest[row] = top;
    total[row] = sum;
  }
  block.softmax.fresh = true;
}

export const gradientSoftmax = gradientOf({
  kind: 'softmax',
  name: 'gradientSoftmax',
  table: 'exp',
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
  ofRow: ({ exp }, { margins, labels, rows, outputs }, row, output) => {
    const p = softmaxFixed(exp, margins, row, rows, outputs, output);
    return [p - (labels[row] === output ? ONE : 0), 2 * curvature(p)];
  },
  ofBlock({ exp }, block, outputs, output) {
    if (!block.softmax.fresh) normalise(exp, block, outputs);
    const { rows, gradients, margins, labels } = block;
    const { highest, total } = block.softmax;
    const shift = softmaxShift(outputs);
    for (let row = 0; row < rows; row += 1) {
      const part = expFixed(exp, (highest[row] ?? 0) - (margins[output * rows + row] ?? 0)) >> shift;
      const p = divideToOne(part, total[row] ?? 1);
      gradients[2 * row] = p - (labels[row] === output ? ONE : 0);
      gradients[2 * row + 1] = 2 * curvature(p);
    }
  },
});
