// Histogram of the rows of one node on the cpu device. Measured on x86: one pass over the rows for eight features
// (1.6 ns an update) beats a pass for four (2.5), a generic inner loop over features (3.6), and a pass a feature over
// column-major codes, which gathers the gradients again each time (6). Features that only pad a pass all add to one
// cell and wait for one another, so there are passes for eight, six, four and two. They are written out: the engine
// stops inlining a function for the innermost two lines halfway (twice as slow).

import type { CpuBlock } from './cpuBlock.ts';
import { rowsInOrder } from './cpuBlock.ts';
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

/** One pass over `rows` for `features` of the two words from `word` on, of which features are 1 to 8. */
function addWords(
  layout: HistogramLayout,
  block: CpuBlock,
  rows: Uint32Array,
  word: number,
  target: HistogramTarget,
): void {
  const features = Math.min(8, layout.features - 4 * word);
  if (features > 6) addEight(layout, block, rows, word, target);
  else if (features > 4) addSix(layout, block, rows, word, target);
  else if (features > 2) addFour(layout, block, rows, word, target);
  else addTwo(layout, block, rows, word, target);
}

function addEight(
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
    const low = words[at]!;
    const high = words[at + 1]!;
    let cell = first0 + ((low << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first1 + ((low >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first2 + ((low >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first3 + ((low >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first4 + ((high << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first5 + ((high >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first6 + ((high >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first7 + ((high >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
  }
}

function addSix(
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
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const g = gradients[2 * row]!;
    const h = gradients[2 * row + 1]!;
    const at = row * wordsPerRow + word;
    const low = words[at]!;
    const high = words[at + 1]!;
    let cell = first0 + ((low << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first1 + ((low >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first2 + ((low >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first3 + ((low >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first4 + ((high << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first5 + ((high >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
  }
}

function addFour(
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
    const low = words[row * wordsPerRow + word]!;
    let cell = first0 + ((low << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first1 + ((low >>> 7) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first2 + ((low >>> 15) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first3 + ((low >>> 23) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
  }
}

function addTwo(
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
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const g = gradients[2 * row]!;
    const h = gradients[2 * row + 1]!;
    const low = words[row * wordsPerRow + word]!;
    let cell = first0 + ((low << 1) & 510);
    cells[cell]! += g;
    cells[cell + 1]! += h;
    cell = first1 + ((low >>> 7) & 510);
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
  const order = rowsInOrder(block);
  for (let begin = range.begin; begin < range.end; begin += ROWS_AT_A_TIME) {
    const rows = order.subarray(begin, Math.min(begin + ROWS_AT_A_TIME, range.end));
    for (let word = 0; word < block.wordsPerRow; word += 2) addWords(layout, block, rows, word, target);
  }
}
