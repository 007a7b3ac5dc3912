// Whether the members of a group each hold all rows, instead of telling one another sums of their own: what few rows take
// to compute is less than the time of a message, and a tree needs two messages a level.

/**
 * Cells (rows times features, over all datasets) up to which rows are shared. Measured with two processes on one machine:
 * a tree of depth 6 over so many cells takes one of them 6 ms, half of them and thirteen exchanges take as long at least.
 * Over a network an exchange takes ten times that and more.
 */
const MOST_SHARED_CELLS = 2 ** 20;

/** @param rows of all datasets. */
export function areShared(rows: number, features: number): boolean {
  return rows * features <= MOST_SHARED_CELLS;
}
