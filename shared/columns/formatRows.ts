// Rows as a table of text, for the terminal.

import { visibleLine } from '../../kernels/visibleText.ts';
import { alignColumns } from '../text/alignColumns.ts';
import { memberOf } from '../memberOf.ts';
import type { Row } from './valuesOf.ts';

const MAX_CELL_CHARS = 40;

export function formatRows(columns: readonly string[], rows: readonly Row[]): string {
  const cells = [columns, ...rows.map((row) => columns.map((name) => cellOf(memberOf(row, name))))];
  const { lines, widths } = alignColumns(cells);
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines.join('\n');
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = visibleLine(textOf(value));
  return text.length > MAX_CELL_CHARS ? `${text.slice(0, MAX_CELL_CHARS - 1)}…` : text;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `${value}`;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}
