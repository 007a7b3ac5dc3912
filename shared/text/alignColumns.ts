// Cells of text in columns, for a terminal.

import { visibleLine } from '../../kernels/visibleText.ts';
import { columnsOf, padColumns } from './textColumns.ts';

export interface AlignedColumns {
  /** One a row, without spaces at its end. */
  readonly lines: string[];
  /** Of each column, in columns of the terminal. */
  readonly widths: number[];
}

/** Cells padded to the width of their column, two spaces apart. What would act on a terminal is written out. */
export function alignColumns(cells: readonly (readonly string[])[]): AlignedColumns {
  const rows = cells.map((row) => row.map(visibleLine));
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => padColumns(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return { lines, widths };
}
