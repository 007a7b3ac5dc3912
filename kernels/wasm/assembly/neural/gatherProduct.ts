// Convolutions, dense layers and their input gradients: rows are positions whose patches are gathered from an image, columns
// are filters (or channels). Positions that meet the image with the same taps form a class (kernels/neural/jobs/gatherClasses.ts).

import { COLUMNS_TOGETHER, ROWS_TOGETHER, START_BEFORE, TERMS_TOGETHER } from './kernelNumbers';
import { multiplyTile } from './multiplyTile';
import { packColumns, packEightRows, packFour } from './packing';
import { entry, int, uint } from './parameters';

/** Words of a class before its runs. */
const CLASS_WORDS: u32 = 10;
/** Words of a run: offset in the image, place of its weights, length. */
const RUN_WORDS: u32 = 3;

/** The terms from `first` on, for at most TERMS_TOGETHER: positions' patches. */
function packPatches(
  to: usize,
  sources: usize,
  rows: u32,
  runs: usize,
  runCount: u32,
  first: u32,
  count: u32,
): void {
  const panelBytes = (<usize>count) << 4;
  for (let row: u32 = 0; row < rows; row += 4) {
    const at = sources + ((<usize>row) << 2);
    const row0 = <usize>load<u32>(at);
    const row1 = <usize>load<u32>(at, 4);
    const row2 = <usize>load<u32>(at, 8);
    const row3 = <usize>load<u32>(at, 12);
    let start: u32 = 0;
    let into = to;
    for (let run: u32 = 0; run < runCount; run += 1) {
      const each = runs + <usize>(run * RUN_WORDS) * 4;
      const length = <u32>entry(each, 2);
      const from = max(first, start);
      const end = min(first + count, start + length);
      if (from < end) {
        const offset = (<usize>entry(each, 0) + <usize>(from - start)) << 2;
        packFour(into, row0 + offset, row1 + offset, row2 + offset, row3 + offset, end - from, 16);
        into += (<usize>(end - from)) << 4;
      }
      start += length;
    }
    to += panelBytes;
  }
}

/** The weights of the same terms, for `columns` columns from `column` on. */
function packWeights(
  to: usize,
  weights: usize,
  rowStride: u32,
  columnStride: u32,
  column: u32,
  columns: u32,
  runs: usize,
  runCount: u32,
  first: u32,
  count: u32,
): void {
  const panelBytes = (<usize>count) << 5;
  let start: u32 = 0;
  for (let run: u32 = 0; run < runCount; run += 1) {
    const each = runs + <usize>(run * RUN_WORDS) * 4;
    const length = <u32>entry(each, 2);
    const from = max(first, start);
    const end = min(first + count, start + length);
    start += length;
    if (from >= end) continue;
    const row = <usize>entry(each, 1) + <usize>(from - (start - length)) * rowStride;
    const at = weights + ((row + <usize>column * columnStride) << 2);
    if (columnStride === 1) packColumns(to, at, (<usize>rowStride) << 2, end - from, columns, panelBytes);
    else {
      const step = (<usize>columnStride) << 2;
      for (let panel: u32 = 0; panel < columns; panel += 8) {
        const into = to + <usize>(panel >> 3) * panelBytes;
        packEightRows(into, at + <usize>panel * step, step, end - from, min<u32>(8, columns - panel));
      }
    }
    to += (<usize>(end - from)) << 5;
  }
}

/**
 * Where the patches of some positions begin and where their results go.
 * @returns addresses, u32 each, of four more than there are: those of the last one.
 */
function placePositions(
  sources: usize,
  targets: usize,
  each: usize,
  parameters: usize,
  first: u32,
  rows: u32,
): void {
  const source = uint(parameters, 0);
  const target = uint(parameters, 3);
  const sourceImage = uint(parameters, 7);
  const targetImage = uint(parameters, 8);
  const height = <u32>entry(each, 0);
  const width = <u32>entry(each, 1);
  let x = first % width;
  let y = (first / width) % height;
  let example = first / (width * height);
  for (let row: u32 = 0; row < rows; row += 1) {
    const from = example * sourceImage + entry(each, 2) + y * entry(each, 3) + x * entry(each, 4);
    const to = example * targetImage + entry(each, 5) + y * entry(each, 6) + x * entry(each, 7);
    store<u32>(sources + ((<usize>row) << 2), source + (from << 2));
    store<u32>(targets + ((<usize>row) << 2), target + (to << 2));
    x += 1;
    if (x < width) continue;
    x = 0;
    y += 1;
    if (y < height) continue;
    y = 0;
    example += 1;
  }
  const last = load<u32>(sources + ((<usize>(rows - 1)) << 2));
  for (let row = rows; row < rows + 3; row += 1) store<u32>(sources + ((<usize>row) << 2), last);
}

/**
 * Parameters: source, weights, bias, target, table of classes, their number, examples, floats of an image of source and target,
 * columns, blocks of columns, stride of a row and of a column of weights, start, activation, memory of threads and its bytes.
 */
export function gatherProduct(parameters: usize, task: u32, thread: u32): void {
  const examples = uint(parameters, 6);
  const columnBlocks = uint(parameters, 10);
  let block = task / columnBlocks;
  let each = <usize>uint(parameters, 4);
  let positions: u32 = 0;
  for (;;) {
    positions = examples * entry(each, 0) * entry(each, 1);
    const blocks = (positions + ROWS_TOGETHER - 1) / ROWS_TOGETHER;
    if (block < blocks) break;
    block -= blocks;
    each += (<usize>(CLASS_WORDS + <u32>entry(each, 9) * RUN_WORDS)) << 2;
  }
  const first = block * ROWS_TOGETHER;
  const rows = min(<u32>ROWS_TOGETHER, positions - first);
  const column = (task % columnBlocks) * COLUMNS_TOGETHER;
  const columns = min(<u32>COLUMNS_TOGETHER, uint(parameters, 9) - column);
  const left = <usize>uint(parameters, 15) + <usize>thread * <usize>uint(parameters, 16);
  const right = left + ROWS_TOGETHER * TERMS_TOGETHER * 4;
  const sources = right + COLUMNS_TOGETHER * TERMS_TOGETHER * 4;
  const targets = sources + (ROWS_TOGETHER + 4) * 4;
  const spare = targets + (ROWS_TOGETHER + 4) * 4;
  placePositions(sources, targets, each, parameters, first, rows);
  const bias = <usize>uint(parameters, 2) + ((<usize>column) << 2);
  const terms = <u32>entry(each, 8);
  const runCount = <u32>entry(each, 9);
  const runs = each + (CLASS_WORDS << 2);
  let start = uint(parameters, 13);
  let term: u32 = 0;
  // Without taps the sum of nothing is still to be finished.
  do {
    const count = min(<u32>TERMS_TOGETHER, terms - term);
    packPatches(left, sources, rows, runs, runCount, term, count);
    packWeights(
      right,
      uint(parameters, 1),
      uint(parameters, 11),
      uint(parameters, 12),
      column,
      columns,
      runs,
      runCount,
      term,
      count,
    );
    term += count;
    const activation = term === terms ? uint(parameters, 14) : 0;
    for (let panel: u32 = 0; panel < columns; panel += 8) {
      for (let row: u32 = 0; row < rows; row += 4) {
        multiplyTile(
          left + <usize>(row * count) * 4,
          right + <usize>(panel * count) * 4,
          count,
          targets + ((<usize>row) << 2),
          column + panel,
          min(<u32>4, rows - row),
          min(<u32>8, columns - panel),
          bias + ((<usize>panel) << 2),
          start,
          activation,
          spare,
        );
      }
    }
    start = START_BEFORE;
  } while (term < terms);
}
