// Operands of products in the order in which they are read.

/** Four rows of `length` floats become columns: to[i][4]. */
@inline
export function packFour(
  to: usize,
  row0: usize,
  row1: usize,
  row2: usize,
  row3: usize,
  length: u32,
  step: usize,
): void {
  let i: u32 = 0;
  for (; i + 4 <= length; i += 4) {
    const a = v128.load(row0);
    const b = v128.load(row1);
    const c = v128.load(row2);
    const d = v128.load(row3);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    to += step;
    v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
    to += step;
    v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
    to += step;
    v128.store(to, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
    to += step;
    row0 += 16;
    row1 += 16;
    row2 += 16;
    row3 += 16;
  }
  for (; i < length; i += 1) {
    store<f32>(to, load<f32>(row0));
    store<f32>(to, load<f32>(row1), 4);
    store<f32>(to, load<f32>(row2), 8);
    store<f32>(to, load<f32>(row3), 12);
    to += step;
    row0 += 4;
    row1 += 4;
    row2 += 4;
    row3 += 4;
  }
}

/** Eight floats to each of four panels of eight columns: whole cache lines of a row are used at once. */
@inline
export function copyThirtyTwo(to: usize, from: usize, panelBytes: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  to += panelBytes;
  v128.store(to, v128.load(from, 32));
  v128.store(to, v128.load(from, 48), 16);
  to += panelBytes;
  v128.store(to, v128.load(from, 64));
  v128.store(to, v128.load(from, 80), 16);
  to += panelBytes;
  v128.store(to, v128.load(from, 96));
  v128.store(to, v128.load(from, 112), 16);
}

/** Eight floats, of which `columns` are there; the others are 0. */
@inline
export function copyEight(to: usize, from: usize, columns: u32): void {
  if (columns >= 8) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    return;
  }
  for (let k: u32 = 0; k < 8; k += 1) {
    const at = <usize>k << 2;
    store<f32>(to + at, k < columns ? load<f32>(from + at) : 0);
  }
}

/**
 * Neighbouring columns of `length` rows, in panels of eight: to[panel][i][8]. Columns past `columns` become 0.
 * @param stride bytes of a row. @param panelBytes from a panel to the next.
 */
export function packColumns(
  to: usize,
  from: usize,
  stride: usize,
  length: u32,
  columns: u32,
  panelBytes: usize,
): void {
  let column: u32 = 0;
  for (; column + 32 <= columns; column += 32) {
    let row = from;
    let into = to;
    for (let i: u32 = 0; i < length; i += 1) {
      copyThirtyTwo(into, row, panelBytes);
      row += stride;
      into += 32;
    }
    from += 128;
    to += 4 * panelBytes;
  }
  for (; column < columns; column += 8) {
    let row = from;
    let into = to;
    for (let i: u32 = 0; i < length; i += 1) {
      copyEight(into, row, columns - column);
      row += stride;
      into += 32;
    }
    from += 32;
    to += panelBytes;
  }
}

/** Eight rows of `length` floats become columns: to[i][8]. Rows past `rows` become 0. @param stride bytes of a row. */
export function packEightRows(to: usize, from: usize, stride: usize, length: u32, rows: u32): void {
  if (rows === 8) {
    const upper = from + 4 * stride;
    packFour(to, from, from + stride, from + 2 * stride, from + 3 * stride, length, 32);
    packFour(to + 16, upper, upper + stride, upper + 2 * stride, upper + 3 * stride, length, 32);
    return;
  }
  for (let k: u32 = 0; k < 8; k += 1) {
    const row = from + <usize>k * stride;
    for (let i: u32 = 0; i < length; i += 1) {
      store<f32>(to + (<usize>i << 5) + (<usize>k << 2), k < rows ? load<f32>(row + (<usize>i << 2)) : 0);
    }
  }
}
