// Gradients of a whole block on the cpu device: gradientOfRow written out as one tight loop a kind, which runs several
// times faster. The contract suite holds the two equal.

import type { CpuBlock, CpuLowLimbs } from './cpuBlock.ts';
import { ONE, divideToOne, multiplyShift, multiplyShiftSigned, weighLow } from './fixedPoint.ts';
import type { GradientTables } from './gradients.ts';
import { curvature } from './gradients.ts';
import { expFixed, sigmoidFixed, softmaxShift } from './probabilityTable.ts';
import { rowHash } from './rowHash.ts';
import type { DeviceSpec } from './treeDevice.ts';

function logisticGradients(table: Uint32Array, { rows, gradients, margins, labels }: CpuBlock): void {
  for (let row = 0; row < rows; row += 1) {
    // Checked blocks have a margin and a label for each row: `?? 0` here would cost a tenth of the loop.
    const p = sigmoidFixed(table, margins[row]!);
    gradients[2 * row] = p - labels[row]! * ONE;
    gradients[2 * row + 1] = curvature(p);
  }
}

function squaredErrorGradients(block: CpuBlock): void {
  const { gradients, margins, labels } = block;
  for (let row = 0; row < block.rows; row += 1) {
    gradients[2 * row] = (margins[row] ?? 0) - (labels[row] ?? 0);
    gradients[2 * row + 1] = ONE;
  }
}

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

function softmaxGradients(table: Uint32Array, block: CpuBlock, outputs: number, output: number): void {
  if (!block.softmax.fresh) normalise(table, block, outputs);
  const { rows, gradients, margins, labels } = block;
  const { highest, total } = block.softmax;
  const shift = softmaxShift(outputs);
  for (let row = 0; row < rows; row += 1) {
    const part = expFixed(table, (highest[row] ?? 0) - (margins[output * rows + row] ?? 0)) >> shift;
    const p = divideToOne(part, total[row] ?? 1);
    gradients[2 * row] = p - (labels[row] === output ? ONE : 0);
    gradients[2 * row + 1] = 2 * curvature(p);
  }
}

function weighGradients(block: CpuBlock, weights: Uint32Array): void {
  const { gradients } = block;
  for (let row = 0; row < block.rows; row += 1) {
    const weight = weights[row] ?? 0;
    gradients[2 * row] = multiplyShiftSigned(gradients[2 * row] ?? 0, weight);
    gradients[2 * row + 1] = multiplyShift(gradients[2 * row + 1] ?? 0, weight);
  }
}

/** Low limbs of the gradients, before their high limbs are weighed. */
function lowGradients(block: CpuBlock, { labels, weights, margins, gradients: low }: CpuLowLimbs): void {
  const { gradients, weights: high } = block;
  for (let row = 0; row < block.rows; row += 1) {
    const rest = margins && labels ? margins[row]! - labels[row]! : 0;
    const [g, h] = [gradients[2 * row]!, gradients[2 * row + 1]!];
    low[2 * row] = high && weights ? weighLow(g, rest, high[row]!, weights[row]!) : rest;
    low[2 * row + 1] = high && weights ? weighLow(h, 0, high[row]!, weights[row]!) : 0;
  }
}

function sampleGradients(block: CpuBlock, seed: number, threshold: number, round: number): void {
  const { gradients, low } = block;
  for (let row = 0; row < block.rows; row += 1) {
    if (rowHash(seed, round, block.firstRow + row) < threshold) continue;
    gradients[2 * row] = 0;
    gradients[2 * row + 1] = 0;
    low?.gradients.fill(0, 2 * row, 2 * row + 2);
  }
}

/** Fills block.gradients for `output` from the margins as they are. */
export function computeGradients(
  spec: DeviceSpec,
  tables: GradientTables,
  block: CpuBlock,
  round: number,
  output: number,
): void {
  if (spec.gradient === 'logistic') logisticGradients(tables.sigmoid, block);
  else if (spec.gradient === 'softmax') softmaxGradients(tables.exp, block, spec.outputs, output);
  else squaredErrorGradients(block);
  if (block.low) lowGradients(block, block.low);
  if (block.weights !== undefined) weighGradients(block, block.weights);
  const { seed, threshold } = spec.sampling;
  if (threshold < 2 ** 32) sampleGradients(block, seed, threshold, round);
}
