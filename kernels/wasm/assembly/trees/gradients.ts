// Gradients and Hessians of rows from their margins; kernels/gbdt/ops/gradient*.ts has the definitions.

import {
  firstRowOf,
  gradientsOf,
  labelsOf,
  lowGradientsOf,
  lowLabelsOf,
  lowMarginsOf,
  lowWeightsOf,
  marginsOf,
  rangesOf,
  rowsOf,
  softmaxOf,
  weightsOf,
} from './block';
import { ONE, multiplyShift, multiplyShiftSigned, roundHash, rowHash, weighLow } from './fixedPoint';
import { LOGISTIC, ROWS_PER_TASK, SOFTMAX } from './kernelNumbers';

/** Bits of a margin below the step of the tables. */
const FRACTION_BITS: u32 = 12;
const FRACTION_MASK: i32 = (1 << FRACTION_BITS) - 1;
const HALF: i32 = 1 << (FRACTION_BITS - 1);

// Parameters of a job: 0 blocks (addresses), 4 tasks a block, 8 kind, 12 output, 16 outputs, 20 table, 24 largest size that the
// table has, 28 shift of exponentials, 32 seed, 36 round, 40 whether rows are sampled, 44 threshold, 48 nodes that ranges hold,
// 52 whether softmax has to be normalised.

/** p(1 - p), at least one unit. */
function curvature(probability: i32): i32 {
  return max<i32>(1, <i32>multiplyShift(probability, ONE - probability));
}

/** The table's value at `size`, between its entries by a straight line. */
function between(table: usize, size: i32): i32 {
  const entry = table + 4 * <usize>(size >> FRACTION_BITS);
  const start = load<i32>(entry);
  return start + (((load<i32>(entry, 4) - start) * (size & FRACTION_MASK) + HALF) >> FRACTION_BITS);
}

function exponential(table: usize, distance: i32, limit: i32): i32 {
  const size = min<i32>(distance, limit);
  const entry = table + 4 * <usize>(size >> FRACTION_BITS);
  const start = load<i32>(entry);
  return start - (((start - load<i32>(entry, 4)) * (size & FRACTION_MASK) + HALF) >> FRACTION_BITS);
}

function logistic(p: usize, block: usize, first: u32, end: u32): void {
  const margins = marginsOf(block, 0);
  const labels = labelsOf(block);
  const gradients = gradientsOf(block);
  const table = <usize>load<u32>(p, 20);
  const limit = load<i32>(p, 24);
  for (let row = <usize>first; row < <usize>end; row += 1) {
    const margin = load<i32>(margins + 4 * row);
    const size = between(table, min<i32>(abs<i32>(margin), limit));
    const probability = margin < 0 ? ONE - size : size;
    store<i32>(gradients + 8 * row, probability - load<i32>(labels + 4 * row) * ONE);
    store<i32>(gradients + 8 * row, curvature(probability), 4);
  }
}

function squaredError(block: usize, first: u32, end: u32): void {
  const margins = marginsOf(block, 0);
  const labels = labelsOf(block);
  const gradients = gradientsOf(block);
  for (let row = <usize>first; row < <usize>end; row += 1) {
    store<i32>(gradients + 8 * row, load<i32>(margins + 4 * row) - load<i32>(labels + 4 * row));
    store<i32>(gradients + 8 * row, ONE, 4);
  }
}

/** Largest margin and sum of exponentials of each row, which the outputs of a round share. */
function normalise(p: usize, block: usize, first: u32, end: u32): void {
  const margins = marginsOf(block, 0);
  const shared = softmaxOf(block);
  const outputBytes: usize = 4 * <usize>rowsOf(block);
  const outputs = load<u32>(p, 16);
  const table = <usize>load<u32>(p, 20);
  const limit = load<i32>(p, 24);
  const shift = load<i32>(p, 28);
  for (let row = <usize>first; row < <usize>end; row += 1) {
    const start = margins + 4 * row;
    let top = load<i32>(start);
    let at = start;
    for (let output: u32 = 1; output < outputs; output += 1) {
      at += outputBytes;
      top = max<i32>(top, load<i32>(at));
    }
    let total = 0;
    at = start;
    for (let output: u32 = 0; output < outputs; output += 1) {
      total += exponential(table, top - load<i32>(at), limit) >> shift;
      at += outputBytes;
    }
    store<i32>(shared + 8 * row, top);
    store<i32>(shared + 8 * row, total, 4);
  }
}

/** round(2^24 · part / total), halves up, for 0 <= part <= total and 0 < total < 2^31. */
function divideToOne(part: i32, total: i32): i32 {
  return <i32>((((<u64>part) << 24) + <u64>(total >> 1)) / <u64>total);
}

function softmax(p: usize, block: usize, first: u32, end: u32): void {
  if (load<u32>(p, 52) !== 0) normalise(p, block, first, end);
  const output = load<u32>(p, 12);
  const margins = marginsOf(block, output);
  const labels = labelsOf(block);
  const gradients = gradientsOf(block);
  const shared = softmaxOf(block);
  const table = <usize>load<u32>(p, 20);
  const limit = load<i32>(p, 24);
  const shift = load<i32>(p, 28);
  for (let row = <usize>first; row < <usize>end; row += 1) {
    const distance = load<i32>(shared + 8 * row) - load<i32>(margins + 4 * row);
    const part = exponential(table, distance, limit) >> shift;
    const probability = divideToOne(part, load<i32>(shared + 8 * row, 4));
    const isClass = load<u32>(labels + 4 * row) === output;
    store<i32>(gradients + 8 * row, probability - (isClass ? ONE : 0));
    store<i32>(gradients + 8 * row, 2 * curvature(probability), 4);
  }
}

function weigh(block: usize, weights: usize, first: u32, end: u32): void {
  const gradients = gradientsOf(block);
  for (let row = <usize>first; row < <usize>end; row += 1) {
    const weight = load<u32>(weights + 4 * row);
    const at = gradients + 8 * row;
    store<i32>(at, multiplyShiftSigned(load<i32>(at), weight));
    store<u32>(at, multiplyShift(load<u32>(at, 4), weight), 4);
  }
}

/** Low limbs of the gradients, before their high limbs are weighed. */
function lowLimbs(block: usize, lows: usize, weights: usize, first: u32, end: u32): void {
  const gradients = gradientsOf(block);
  const margins = lowMarginsOf(block);
  const labels = lowLabelsOf(block);
  const lowWeights = lowWeightsOf(block);
  for (let row = <usize>first; row < <usize>end; row += 1) {
    let g: i32 = margins === 0 ? 0 : load<i32>(margins + 4 * row) - load<i32>(labels + 4 * row);
    let h: i32 = 0;
    if (weights !== 0) {
      const weight = load<u32>(weights + 4 * row);
      const lowWeight = load<u32>(lowWeights + 4 * row);
      g = weighLow(load<i32>(gradients + 8 * row), g, weight, lowWeight);
      h = weighLow(load<i32>(gradients + 8 * row, 4), 0, weight, lowWeight);
    }
    store<i32>(lows + 8 * row, g);
    store<i32>(lows + 8 * row, h, 4);
  }
}

function sample(p: usize, block: usize, first: u32, end: u32): void {
  const gradients = gradientsOf(block);
  const lows = lowGradientsOf(block);
  const ofRound = roundHash(load<u32>(p, 32), load<u32>(p, 36));
  const threshold = load<u32>(p, 44);
  const firstRow = firstRowOf(block);
  for (let row = first; row < end; row += 1) {
    if (rowHash(ofRound, firstRow + row) < threshold) continue;
    store<u64>(gradients + 8 * <usize>row, 0);
    if (lows !== 0) store<u64>(lows + 8 * <usize>row, 0);
  }
}

/** Task: gradients of a stretch of a block; the first one of a block puts its rows at node 0. */
export function gradientTask(p: usize, task: u32): void {
  const perBlock = load<u32>(p, 4);
  const block = <usize>load<u32>(<usize>load<u32>(p) + 4 * <usize>(task / perBlock));
  const part = task % perBlock;
  const rows = rowsOf(block);
  if (part === 0) {
    const ranges = rangesOf(block);
    memory.fill(ranges, 0, 8 * <usize>load<u32>(p, 48));
    store<u32>(ranges, rows, 4);
  }
  const first = min<u32>(rows, part * <u32>ROWS_PER_TASK);
  const end = min<u32>(rows, first + <u32>ROWS_PER_TASK);
  const kind = load<u32>(p, 8);
  if (kind === LOGISTIC) logistic(p, block, first, end);
  else if (kind === SOFTMAX) softmax(p, block, first, end);
  else squaredError(block, first, end);
  const weights = weightsOf(block);
  const lows = lowGradientsOf(block);
  if (lows !== 0) lowLimbs(block, lows, weights, first, end);
  if (weights !== 0) weigh(block, weights, first, end);
  if (load<u32>(p, 40) !== 0) sample(p, block, first, end);
}
