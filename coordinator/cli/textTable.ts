// Rows of cells as the commands print them.

import { alignColumns } from '../../shared/text/alignColumns.ts';

/** Cells padded to the width of their column, two spaces apart, one line a row. */
export function textTable(cells: readonly (readonly string[])[]): string {
  return alignColumns(cells)
    .lines.map((line) => `${line}\n`)
    .join('');
}
