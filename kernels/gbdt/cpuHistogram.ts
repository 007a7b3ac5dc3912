// Histogram of the rows of one node on the cpu device. Measured on x86: one pass over the rows for eight features
// (1.6 ns an update) beats a pass for four (2.5), a generic inner loop over features (3.6), and a pass a feature over
// column-major codes, which gathers the gradients again each time (6).

import type { CpuBlock } from './cpuBlock.ts';
import type { HistogramLayout } from './histogramLayout.ts';

/** Where the sums of one node go. */
export interface HistogramTarget {
  /** [node][feature][slot][g, h], and at the very end one spare pair. */
  readonly cells: Float64Array;
  /** First cell of the node. */
  readonly start: number;
}

/** First cell of a feature. Features that only pad a word go to the spare pair. */
function firstCell(layout: HistogramLayout, { cells, start }: HistogramTarget, feature: number): number {
  if (feature >= layout.features) return cells.length - 2;
  return start + 2 * (layout.firstSlot[feature] ?? 0);
}

function addFourFeatures(
  layout: HistogramLayout,
  block: CpuBlock,
  rows: Uint32Array,
  word: number,
  target: HistogramTarget,
): void {
  const { cells } = target;
  const { words, wordsPerRow, gradients } = block;
  const first0 = firstCell(layout, target, 4 * word);
  const first1 = firstCell(layout, target, 4 * word + 1);
  const first2 = firstCell(layout, target, 4 * word + 2);
  const first3 = firstCell(layout, target, 4 * word + 3);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const g = gradients[2 * row]!;
    const h = gradients[2 * row + 1]!;
    const codes = words[row * wordsPerRow + word]!;
    let cell = first0 + ((codes << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first1 + ((codes >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first2 + ((codes >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first3 + ((codes >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
  }
}

function addEightFeatures(
  layout: HistogramLayout,
  block: CpuBlock,
  rows: Uint32Array,
  word: number,
  target: HistogramTarget,
): void {
  const { cells } = target;
  const { words, wordsPerRow, gradients } = block;
  const first0 = firstCell(layout, target, 4 * word);
  const first1 = firstCell(layout, target, 4 * word + 1);
  const first2 = firstCell(layout, target, 4 * word + 2);
  const first3 = firstCell(layout, target, 4 * word + 3);
  const first4 = firstCell(layout, target, 4 * word + 4);
  const first5 = firstCell(layout, target, 4 * word + 5);
  const first6 = firstCell(layout, target, 4 * word + 6);
  const first7 = firstCell(layout, target, 4 * word + 7);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const g = gradients[2 * row]!;
    const h = gradients[2 * row + 1]!;
    const at = row * wordsPerRow + word;
    let codes = words[at]!;
    let cell = first0 + ((codes << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first1 + ((codes >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first2 + ((codes >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first3 + ((codes >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    codes = words[at + 1]!;
    cell = first4 + ((codes << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first5 + ((codes >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first6 + ((codes >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first7 + ((codes >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
  }
}

/** Rows of a node handled together, so that passes over several words find them in the cache. */
const ROWS_AT_A_TIME = 8192;

/** Adds the gradients of the rows at `node` to the target. Sums stay exact below 2^53. */
export function addHistogram(
  layout: HistogramLayout,
  block: CpuBlock,
  node: number,
  target: HistogramTarget,
): void {
  const range = block.ranges.get(node);
  if (range === undefined) return;
  for (let begin = range.begin; begin < range.end; begin += ROWS_AT_A_TIME) {
    const rows = block.order.subarray(begin, Math.min(begin + ROWS_AT_A_TIME, range.end));
    let word = 0;
    for (; word + 2 <= block.wordsPerRow; word += 2) addEightFeatures(layout, block, rows, word, target);
    if (word < block.wordsPerRow) addFourFeatures(layout, block, rows, word, target);
  }
}
