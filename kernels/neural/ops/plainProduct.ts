// Products of the references in f32, to the bits of WebAssembly: 2 × 4 sums stay in registers, and each operation is rounded. That
// is five times the speed of loops over rows.

/** Rows and columns whose sums are computed at once. */
const ROWS = 2;
const COLUMNS = 4;

/** A matrix of `count` terms for `columns` columns as [columns / 4][count][4], filled up with zeros. */
export function packTerms(
  columns: number,
  count: number,
  valueOf: (term: number, column: number) => number,
): Float32Array {
  const packed = new Float32Array(Math.ceil(columns / COLUMNS) * COLUMNS * count);
  for (let column = 0; column < columns; column += 1) {
    const first = Math.floor(column / COLUMNS) * COLUMNS * count + (column % COLUMNS);
    for (let term = 0; term < count; term += 1) packed[first + COLUMNS * term] = valueOf(term, column);
  }
  return packed;
}

/**
 * targets[row][column] += Σ left[row][term] · right[term][column], terms in their order.
 * @param right of `packTerms`. @param places where each row begins in `targets`.
 */
export function addProduct(
  left: Float32Array,
  right: Float32Array,
  count: number,
  columns: number,
  targets: Float32Array,
  places: ArrayLike<number>,
  rows: number,
): void {
  const sums = new Float32Array(ROWS * COLUMNS);
  for (let row = 0; row < rows; row += ROWS) {
    // The last row of an odd number stands for its neighbour, too.
    const next = Math.min(row + 1, rows - 1);
    for (let column = 0; column < columns; column += COLUMNS) {
      sumTile(left, row * count, next * count, right, column * count, count, sums);
      const width = Math.min(COLUMNS, columns - column);
      for (let k = 0; k < Math.min(ROWS, rows - row); k += 1) {
        const to = places[row + k]! + column;
        for (let n = 0; n < width; n += 1) targets[to + n] = targets[to + n]! + sums[COLUMNS * k + n]!;
      }
    }
  }
}

function sumTile(
  left: Float32Array,
  row0: number,
  row1: number,
  right: Float32Array,
  rightAt: number,
  count: number,
  sums: Float32Array,
): void {
  const f = Math.fround;
  // Eight names, and no array of them, keep the sums in registers.
  let [a, b, c, d] = [f(0), f(0), f(0), f(0)];
  let [p, q, r, s] = [f(0), f(0), f(0), f(0)];
  for (let i = 0, j = rightAt; i < count; i += 1, j += COLUMNS) {
    const x = left[row0 + i]!;
    const y = left[row1 + i]!;
    const w0 = right[j]!;
    const w1 = right[j + 1]!;
    const w2 = right[j + 2]!;
    const w3 = right[j + 3]!;
    a = f(a + f(x * w0));
    b = f(b + f(x * w1));
    c = f(c + f(x * w2));
    d = f(d + f(x * w3));
    p = f(p + f(y * w0));
    q = f(q + f(y * w1));
    r = f(r + f(y * w2));
    s = f(s + f(y * w3));
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
  sums[4] = p;
  sums[5] = q;
  sums[6] = r;
  sums[7] = s;
}
