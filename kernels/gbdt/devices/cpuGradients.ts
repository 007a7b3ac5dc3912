// Gradients of a whole block on the cpu device: its formula, then weights and sampling.

import type { CpuBlock, CpuLowLimbs } from '../cpuBlock.ts';
import { multiplyShift, multiplyShiftSigned, weighLow } from '../fixedPoint.ts';
import type { GradientTables } from '../gradients.ts';
import { gradientFormulas } from '../ops/gradientFormulas.ts';
import { rowHash } from '../rowHash.ts';
import type { DeviceSpec } from '../treeDevice.ts';

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
  gradientFormulas[spec.gradient].ofBlock(tables, block, spec.outputs, output);
  if (block.low) lowGradients(block, block.low);
  if (block.weights !== undefined) weighGradients(block, block.weights);
  const { seed, threshold } = spec.sampling;
  if (threshold < 2 ** 32) sampleGradients(block, seed, threshold, round);
}
