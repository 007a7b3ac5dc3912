// How trainTestSplit and split divide a number of rows.

import { DataArgumentError } from '../plan/dataErrors.ts';

/**
 * Rows of the test part, as Ray counts them: a fraction below 1 leaves floor(rows · (1 − fraction)) rows for training;
 * a whole number is taken as it is.
 * @throws DataArgumentError when a part would have no rows.
 */
export function testRows(rows: number, testSize: number): number {
  // 1 - 0.9 is a little less than 0.1; the small addend keeps whole results whole.
  const test = testSize < 1 ? rows - Math.floor(rows * (1 - testSize) + 1e-9) : testSize;
  if (test <= 0 || test >= rows) {
    throw new DataArgumentError(
      `testSize ${testSize} of ${rows} rows leaves ${rows - test} for training and ${test} for testing; both need some.`,
      { field: 'testSize' },
    );
  }
  return test;
}

/** @throws DataArgumentError unless it is a fraction in (0, 1) or a whole number of rows. */
export function checkTestSize(testSize: number): void {
  if (!(testSize > 0) || (testSize >= 1 && !Number.isInteger(testSize))) {
    throw new DataArgumentError(
      `testSize is ${testSize}; a fraction between 0 and 1 or a whole number of rows is expected.`,
      { field: 'testSize' },
    );
  }
}

/** Part `index` of `count` contiguous parts whose sizes differ by at most one row. */
export function partRange(rows: number, index: number, count: number): readonly [number, number] {
  return [Math.floor((rows * index) / count), Math.floor((rows * (index + 1)) / count)];
}
