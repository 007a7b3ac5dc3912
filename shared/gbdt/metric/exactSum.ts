// Weighted sums of losses that come out the same for any order of addition and any split of the rows, and lose
// nothing beside large ones: each addend is cut at fixed powers of two, and the pieces are summed as integers.
// Source: the small superaccumulator of R. Neal, "Fast exact summation using small and large superaccumulators" (2015).

import { scaleByPowerOfTwo } from '../../../kernels/fixed/scaleByPowerOfTwo.ts';
import { addLossesInWasm, type LossKernel } from '../../../kernels/gbdt/wasm/wasmLosses.ts';
import type { MeanMetric, MetricBlock, RowLoss } from './metric.ts';

/** Bits of a piece: sums of up to 2^27 of them are exact in a double. */
const LIMB_BITS = 26;
/** Limb k counts units of 2^(LOWEST_EXPONENT + 26 k). What is smaller is dropped. Losses about 1 share a limb. */
const LOWEST_EXPONENT = -325;
/** The highest takes addends up to 2^429: squares of float32 numbers, times a weight. */
const LIMBS = 29;
const units = Float64Array.from({ length: LIMBS }, (_, k) =>
  scaleByPowerOfTwo(1, LOWEST_EXPONENT + LIMB_BITS * k),
);
const perUnit = units.map((unit) => 1 / unit);

/** Numbers of one sum: the limbs of the losses, then those of the weights. */
export const SUM_NUMBERS = 2 * LIMBS;

/** Adds numbers that are not negative to limbs. */
class LimbAdder {
  readonly #limbs: Float64Array;
  /** Limb of the upper bits of numbers from #from to below #to. */
  #top = 0;
  #from = 0;
  #to = 0;

  constructor(limbs: Float64Array) {
    this.#limbs = limbs;
  }

  add(value: number): void {
    if (value < this.#from || value >= this.#to) {
      if (value < units[0]!) return;
      this.#moveTo(value);
    }
    const limbs = this.#limbs;
    let k = this.#top;
    // A double has 53 bits, so it reaches over three limbs.
    let piece = Math.floor(value * perUnit[k]!);
    limbs[k]! += piece;
    if (k === 0) return;
    let rest = value - piece * units[k]!;
    k -= 1;
    piece = Math.floor(rest * perUnit[k]!);
    limbs[k]! += piece;
    if (k === 0) return;
    rest -= piece * units[k]!;
    limbs[k - 1]! += Math.floor(rest * perUnit[k - 1]!);
  }

  #moveTo(value: number): void {
    let top = LIMBS - 1;
    while (top > 0 && value < units[top]!) top -= 1;
    this.#top = top;
    this.#from = units[top]!;
    this.#to = units[top + 1] ?? Infinity;
  }
}

/** A loss of rows, and the same for WebAssembly where that knows it. */
export interface MeanLoss {
  readonly rowLoss: RowLoss;
  readonly kernel?: LossKernel | undefined;
}

/** Adds the rows of `blocks` to `sums` at `offset`. */
export function addToMean(
  { rowLoss, kernel }: MeanLoss,
  blocks: readonly MetricBlock[],
  sums: Float64Array,
  offset: number,
): void {
  const losses = new LimbAdder(sums.subarray(offset, offset + LIMBS));
  const total = new LimbAdder(sums.subarray(offset + LIMBS, offset + SUM_NUMBERS));
  for (const block of blocks) {
    const { rows, weights } = block;
    if (kernel && addLossesInWasm(kernel, block, sums.subarray(offset, offset + SUM_NUMBERS))) {
      if (weights === undefined) total.add(rows);
      continue;
    }
    if (weights === undefined) {
      for (let row = 0; row < rows; row += 1) losses.add(rowLoss(block, row));
      total.add(rows);
      continue;
    }
    for (let row = 0; row < rows; row += 1) {
      losses.add(rowLoss(block, row) * weights[row]!);
      total.add(weights[row]!);
    }
  }
}

/** The metric's value from sums over all workers; NaN without any weight. */
export function finishMean(metric: MeanMetric, sums: Float64Array, offset: number): number {
  const losses = joinLimbs(sums.subarray(offset, offset + LIMBS));
  return metric.finish(losses / joinLimbs(sums.subarray(offset + LIMBS, offset + SUM_NUMBERS)));
}

/** The sum as a double. Carries go up first, so that the same sum always rounds alike. */
function joinLimbs(limbs: Float64Array): number {
  const whole = limbs.slice();
  for (let k = 0; k + 1 < LIMBS; k += 1) {
    const carry = Math.floor(whole[k]! / 2 ** LIMB_BITS);
    whole[k]! -= carry * 2 ** LIMB_BITS;
    whole[k + 1]! += carry;
  }
  let sum = 0;
  for (let k = LIMBS - 1; k >= 0; k -= 1) sum += whole[k]! * units[k]!;
  return sum;
}
