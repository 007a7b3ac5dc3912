// Gradients of kernels: rows are those of the kernel (a channel of a tap), columns are filters, and the terms of a sum are
// positions. Rows are cut into strips, each with the positions at which its taps meet the image
// (kernels/neural/jobs/weightStrips.ts).

import { COLUMNS_TOGETHER, ROWS_TOGETHER, START_BEFORE, TERMS_TOGETHER } from './kernelNumbers';
import { multiplyTile } from './multiplyTile';
import { copyEight, copyThirtyTwo } from './packing';
import { entry, uint } from './parameters';

/** Words of a strip: first row, rows, first output row, output rows, first output column, output columns. */
const STRIP_WORDS: u32 = 6;
/** Words of a row: how far its value lies from the position's first, vertically and horizontally in pixels, and in floats. */
const ROW_WORDS: u32 = 3;

/** Bytes of a position in the list of a chunk: addresses of image and gradient, and where in the image it is. */
const PLACE_BYTES: usize = 16;

function placeTerms(places: usize, strip: usize, parameters: usize, first: u32, count: u32): void {
  const image = uint(parameters, 0);
  const gradient = uint(parameters, 1);
  const inputHeight = uint(parameters, 6);
  const inputWidth = uint(parameters, 7);
  const channels = uint(parameters, 8);
  const outputHeight = uint(parameters, 9);
  const outputWidth = uint(parameters, 10);
  const filters = uint(parameters, 11);
  const strideHeight = uint(parameters, 12);
  const strideWidth = uint(parameters, 13);
  const height = <u32>entry(strip, 3);
  const width = <u32>entry(strip, 5);
  let x = first % width;
  let y = (first / width) % height;
  let example = first / (width * height);
  for (let term: u32 = 0; term < count; term += 1) {
    const outputY = <u32>entry(strip, 2) + y;
    const outputX = <u32>entry(strip, 4) + x;
    const inputY = outputY * strideHeight;
    const inputX = outputX * strideWidth;
    const pixel = (example * inputHeight + inputY) * inputWidth + inputX;
    store<u32>(places, image + ((pixel * channels) << 2));
    store<u32>(
      places,
      gradient + ((((example * outputHeight + outputY) * outputWidth + outputX) * filters) << 2),
      4,
    );
    store<u32>(places, inputY, 8);
    store<u32>(places, inputX, 12);
    places += PLACE_BYTES;
    x += 1;
    if (x < width) continue;
    x = 0;
    y += 1;
    if (y < height) continue;
    y = 0;
    example += 1;
  }
}

function packGradients(to: usize, places: usize, count: u32, column: u32, columns: u32): void {
  const panelBytes = (<usize>count) << 5;
  const end = places + <usize>count * PLACE_BYTES;
  let done: u32 = 0;
  for (; done + 32 <= columns; done += 32) {
    const offset = (<usize>(column + done)) << 2;
    let into = to;
    for (let place = places; place < end; place += PLACE_BYTES) {
      copyThirtyTwo(into, <usize>load<u32>(place, 4) + offset, panelBytes);
      into += 32;
    }
    to += 4 * panelBytes;
  }
  for (; done < columns; done += 8) {
    const offset = (<usize>(column + done)) << 2;
    let into = to;
    for (let place = places; place < end; place += PLACE_BYTES) {
      copyEight(into, <usize>load<u32>(place, 4) + offset, columns - done);
      into += 32;
    }
    to += panelBytes;
  }
}

/** Rows whose values are neighbours, all inside the image, in panels of four. @param rows a multiple of four. */
function packNeighbours(to: usize, places: usize, count: u32, offset: i32, rows: u32): void {
  const panelBytes = (<usize>count) << 4;
  const end = places + <usize>count * PLACE_BYTES;
  let row: u32 = 0;
  let skipped = <u32>(offset << 2);
  for (; row + 16 <= rows; row += 16, skipped += 64) {
    let into = to;
    for (let place = places; place < end; place += PLACE_BYTES) {
      const from = <usize>(load<u32>(place) + skipped);
      v128.store(into, v128.load(from));
      v128.store(into + panelBytes, v128.load(from, 16));
      v128.store(into + 2 * panelBytes, v128.load(from, 32));
      v128.store(into + 3 * panelBytes, v128.load(from, 48));
      into += 16;
    }
    to += 4 * panelBytes;
  }
  for (; row < rows; row += 4, skipped += 16) {
    let into = to;
    for (let place = places; place < end; place += PLACE_BYTES) {
      v128.store(into, v128.load(<usize>(load<u32>(place) + skipped)));
      into += 16;
    }
    to += panelBytes;
  }
}

/** One row of four; 0 outside of the image. */
function packRow(to: usize, places: usize, count: u32, row: usize, height: u32, width: u32): void {
  const down = entry(row, 0);
  const right = entry(row, 1);
  const offset = entry(row, 2) << 2;
  for (let term: u32 = 0; term < count; term += 1) {
    const y = load<u32>(places, 8) + down;
    const x = load<u32>(places, 12) + right;
    // Before the image these wrap around to large numbers.
    const isInside = y < height && x < width;
    store<f32>(to, isInside ? load<f32>(<usize>(load<u32>(places) + offset)) : 0);
    to += 16;
    places += PLACE_BYTES;
  }
}

function packValues(
  to: usize,
  places: usize,
  count: u32,
  first: u32,
  rows: u32,
  table: usize,
  parameters: usize,
): void {
  const height = uint(parameters, 6);
  const width = uint(parameters, 7);
  const channels = uint(parameters, 8);
  const at = table + <usize>(first * ROW_WORDS) * 4;
  if (channels % 4 === 0) {
    packNeighbours(to, places, count, entry(at, 2), rows);
    return;
  }
  for (let row: u32 = 0; row < rows; row += 4) {
    for (let k: u32 = row; k < row + 4; k += 1) {
      const into = to + ((<usize>(k - row)) << 2);
      if (k < rows) packRow(into, places, count, at + <usize>(k * ROW_WORDS) * 4, height, width);
      else for (let term: u32 = 0; term < count; term += 1) store<f32>(into + ((<usize>term) << 4), 0);
    }
    to += (<usize>count) << 4;
  }
}

/**
 * Parameters: image, gradient, result, table of strips, table of rows, examples, height, width and channels of the image, height,
 * width and filters of the output, strides, blocks of columns, memory of threads and its bytes. The result is added to.
 */
export function weightProduct(parameters: usize, task: u32, thread: u32): void {
  const columnBlocks = uint(parameters, 14);
  const filters = uint(parameters, 11);
  const strip = <usize>uint(parameters, 3) + <usize>((task / columnBlocks) * STRIP_WORDS) * 4;
  const table = <usize>uint(parameters, 4);
  const firstRow = <u32>entry(strip, 0);
  const rows = <u32>entry(strip, 1);
  const column = (task % columnBlocks) * COLUMNS_TOGETHER;
  const columns = min(<u32>COLUMNS_TOGETHER, filters - column);
  const left = <usize>uint(parameters, 15) + <usize>thread * <usize>uint(parameters, 16);
  const right = left + ROWS_TOGETHER * TERMS_TOGETHER * 4;
  const places = right + COLUMNS_TOGETHER * TERMS_TOGETHER * 4;
  const targets = places + <usize>TERMS_TOGETHER * PLACE_BYTES;
  const spare = targets + ROWS_TOGETHER * 4;
  const result = uint(parameters, 2) + ((firstRow * filters) << 2);
  for (let row: u32 = 0; row < rows; row += 1) {
    store<u32>(targets + ((<usize>row) << 2), result + ((row * filters) << 2));
  }
  const terms = uint(parameters, 5) * entry(strip, 3) * entry(strip, 5);
  for (let term: u32 = 0; term < terms; term += TERMS_TOGETHER) {
    const count = min(<u32>TERMS_TOGETHER, terms - term);
    placeTerms(places, strip, parameters, term, count);
    packGradients(right, places, count, column, columns);
    packValues(left, places, count, firstRow, rows, table, parameters);
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
          0,
          START_BEFORE,
          0,
          spare,
        );
      }
    }
  }
}
