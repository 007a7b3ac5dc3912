// The matrix product of the processor, in f64: what a machine without a GPU spends its time with. Sums of 4 × 2 results stay
// in registers, and both operands are packed in the order in which they are read: seven times the speed of loops over rows.

/** Rows of the left operand that lie side by side. */
export const PACKED_ROWS = 4;
/** Columns of the right operand that lie side by side. */
export const PACKED_COLUMNS = 2;

/** Of the left operand, what is read again for each pair of columns: it should stay in a core's own cache. */
const LEFT_BYTES = 256 * 1024;

export interface ProductSize {
  /** A multiple of PACKED_ROWS. */
  readonly rows: number;
  /** A multiple of PACKED_COLUMNS. */
  readonly columns: number;
  readonly inner: number;
}

/** `length` filled up to a multiple of `by`. */
export const packed = (length: number, by: number): number => Math.ceil(length / by) * by;

/**
 * sums [rows][columns] += left · right.
 * @param left [rows / 4][inner][4]
 * @param right [columns / 2][inner][2]
 */
export function addPackedProduct(
  left: Float64Array,
  right: Float64Array,
  sums: Float64Array,
  { rows, columns, inner }: ProductSize,
): void {
  const blockRows = Math.max(PACKED_ROWS, packed(Math.floor(LEFT_BYTES / (8 * inner + 1)), PACKED_ROWS));
  for (let from = 0; from < rows; from += blockRows) {
    const to = Math.min(rows, from + blockRows);
    for (let column = 0; column < columns; column += PACKED_COLUMNS) {
      for (let row = from; row < to; row += PACKED_ROWS) {
        addTile(left, right, sums, row * inner, column * inner, inner, row * columns + column, columns);
      }
    }
  }
}

function addTile(
  left: Float64Array,
  right: Float64Array,
  sums: Float64Array,
  leftAt: number,
  rightAt: number,
  inner: number,
  at: number,
  columns: number,
): void {
  // Eight names, and no array of them, keep the sums in registers.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  const end = rightAt + 2 * inner;
  for (let i = leftAt, j = rightAt; j < end; i += 4, j += 2) {
    const x = right[j]!;
    const y = right[j + 1]!;
    let value = left[i]!;
    a += value * x;
    b += value * y;
    value = left[i + 1]!;
    c += value * x;
    d += value * y;
    value = left[i + 2]!;
    e += value * x;
    f += value * y;
    value = left[i + 3]!;
    g += value * x;
    h += value * y;
  }
  let to = at;
  sums[to]! += a;
  sums[to + 1]! += b;
  to += columns;
  sums[to]! += c;
  sums[to + 1]! += d;
  to += columns;
  sums[to]! += e;
  sums[to + 1]! += f;
  to += columns;
  sums[to]! += g;
  sums[to + 1]! += h;
}
