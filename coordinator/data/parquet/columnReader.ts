// One column of a row group, however it is nested.

import type * as arrow from 'apache-arrow';

/** Gives consecutive rows of one column of a row group. */
export interface ColumnReader {
  read(rows: number): Promise<arrow.Data>;
}
