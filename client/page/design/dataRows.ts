// Sorting and filtering of rows, as tables and pictures of them share it. A filter is a line of words that all must fit:
// "eta<0.1 status=finished chrome": a comparison with a column, or a piece of text that stands in any of them.

/** A column as rows are sorted and filtered by it. */
export interface RowColumn<Row> {
  /** One word: filters call the column by it, or by what follows its last dot. */
  readonly key: string;
  readonly value: (row: Row) => string | number | undefined;
  /** As it is shown; without it the value itself. */
  readonly text?: (row: Row) => string;
}

export interface Sorting {
  readonly key: string;
  readonly direction: 'ascending' | 'descending';
}

type Fits<Row> = (row: Row) => boolean;

const TERM = /^([^<>=!:]+)(<=|>=|!=|<|>|=|:)(.+)$/;

export function textOf<Row>(column: RowColumn<Row>, row: Row): string {
  return column.text ? column.text(row) : String(column.value(row) ?? '');
}

/** The rows that every term of the filter fits. */
export function filteredRows<Row>(
  columns: readonly RowColumn<Row>[],
  rows: readonly Row[],
  filter: string,
): readonly Row[] {
  const terms = termsOf(filter).map((term) => fitsTerm(columns, term));
  return terms.length === 0 ? rows : rows.filter((row) => terms.every((fits) => fits(row)));
}

/** In the order of a column; rows that it has nothing of come last. */
export function sortedRows<Row>(
  columns: readonly RowColumn<Row>[],
  rows: readonly Row[],
  sorting: Sorting | undefined,
): readonly Row[] {
  const column = columns.find(({ key }) => key === sorting?.key);
  if (!column || !sorting) return rows;
  const sign = sorting.direction === 'ascending' ? 1 : -1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined);
      return sign * compared(a.value, b.value);
    })
    .map(({ row }) => row);
}

/** The filter without the terms about a column. */
export function withoutColumn(filter: string, key: string): string {
  return termsOf(filter)
    .filter((term) => TERM.exec(term)?.[1]?.toLowerCase() !== key.toLowerCase())
    .map(quoted)
    .join(' ');
}

/** The filter with these terms about a column in place of those that it has. */
export function withColumn(filter: string, key: string, comparisons: readonly string[]): string {
  const terms = comparisons.map((comparison) => quoted(`${key}${comparison}`));
  return [withoutColumn(filter, key), ...terms].filter((part) => part !== '').join(' ');
}

/** Terms are apart by blanks; quotation marks keep a text with blanks together. */
function termsOf(filter: string): string[] {
  const found = filter.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  return found.map((term) => term.replaceAll('"', '')).filter((term) => term !== '');
}

function quoted(term: string): string {
  return /\s/.test(term) ? `"${term}"` : term;
}

function fitsTerm<Row>(columns: readonly RowColumn<Row>[], term: string): Fits<Row> {
  const [, name = '', sign = '', wanted = ''] = TERM.exec(term) ?? [];
  const column = columnOf(columns, name);
  if (!column) {
    const piece = term.toLowerCase();
    return (row) => columns.some((one) => textOf(one, row).toLowerCase().includes(piece));
  }
  return (row) => fits(column.value(row), textOf(column, row), sign, wanted);
}

function columnOf<Row>(columns: readonly RowColumn<Row>[], name: string): RowColumn<Row> | undefined {
  const wanted = name.toLowerCase();
  const keys = columns.map(({ key }) => key.toLowerCase());
  const exact = keys.indexOf(wanted);
  return columns[exact === -1 ? keys.findIndex((key) => key.endsWith(`.${wanted}`)) : exact];
}

function fits(value: string | number | undefined, text: string, sign: string, wanted: string): boolean {
  const bound = Number(wanted);
  const isSame =
    text.toLowerCase() === wanted.toLowerCase() ||
    String(value).toLowerCase() === wanted.toLowerCase() ||
    (typeof value === 'number' && value === bound);
  switch (sign) {
    case '=':
      return isSame;
    case '!=':
      return !isSame;
    case ':':
      return text.toLowerCase().includes(wanted.toLowerCase());
    case '<':
      return typeof value === 'number' && value < bound;
    case '<=':
      return typeof value === 'number' && value <= bound;
    case '>':
      return typeof value === 'number' && value > bound;
    default:
      return typeof value === 'number' && value >= bound;
  }
}

/** Numbers before words. */
function compared(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
