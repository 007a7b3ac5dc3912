// A table that is sorted by its titles and filtered by a line of words. It shows a page of rows at a time, and draws only
// the rows that have changed: so ten thousand rows cost no more than a few.

/// <reference types="vite/client" />

import { Component, type ComponentChildren, type JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { count } from '../words/statusWords.ts';
import { tableEn as words } from '../words/tableEn.ts';
import { filteredRows, sortedRows, textOf, type RowColumn, type Sorting } from './dataRows.ts';
import './dataTable.css';
import { Scroll } from './parts.browser.tsx';

const ROWS_A_PAGE = 25;

export interface Column<Row> extends RowColumn<Row> {
  readonly title: string;
  /** In place of the text. It is drawn again when a text of the row has changed, and must depend on nothing else. */
  readonly cell?: (row: Row) => ComponentChildren;
  readonly isNumber?: boolean;
  /** Sentences, which take several lines; other cells take one. */
  readonly isLong?: boolean;
  /** Nothing to sort by. */
  readonly isUnsorted?: boolean;
}

/** The state of a table, for those who show its rows in other ways too. */
export interface TableState<Row> {
  readonly columns: readonly Column<Row>[];
  readonly all: readonly Row[];
  /** Those that the filter fits. */
  readonly found: readonly Row[];
  readonly filter: string;
  readonly setFilter: (filter: string) => void;
}

/** @param columns and rows that are kept from one drawing to the next (useMemo) are filtered once. */
export function useTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  firstFilter = '',
): TableState<Row> {
  const [filter, setFilter] = useState(firstFilter);
  const found = useMemo(() => filteredRows(columns, rows, filter), [columns, rows, filter]);
  return { columns, all: rows, found, filter, setFilter };
}

interface DataTableProps<Row> {
  readonly id: string;
  /** What screen readers call it. */
  readonly label: string;
  readonly table: TableState<Row>;
  readonly keyOf: (row: Row) => string | number;
  readonly sortedBy?: Sorting;
  /** What a filter may look like. */
  readonly example?: string;
}

export function DataTable<Row>(props: DataTableProps<Row>): JSX.Element {
  const { id, label, table, keyOf, example } = props;
  const { columns, all, found, filter, setFilter } = table;
  const [sorting, setSorting] = useState(props.sortedBy);
  const [page, setPage] = useState(0);
  const sorted = useMemo(() => sortedRows(columns, found, sorting), [columns, found, sorting]);
  const pages = Math.max(1, Math.ceil(sorted.length / ROWS_A_PAGE));
  const first = Math.min(page, pages - 1) * ROWS_A_PAGE;
  const shown = sorted.slice(first, first + ROWS_A_PAGE);
  const sortBy = (key: string): void => {
    const isAgain = sorting?.key === key && sorting.direction === 'ascending';
    setSorting({ key, direction: isAgain ? 'descending' : 'ascending' });
    setPage(0);
  };
  return (
    <div class="data-table">
      <div class="table-tools">
        <label>
          <span>{words.filter}</span>
          <input
            id={`${id}-filter`}
            type="search"
            value={filter}
            placeholder={example}
            autocomplete="off"
            spellcheck={false}
            onInput={({ currentTarget }) => {
              setFilter(currentTarget.value);
              setPage(0);
            }}
          />
        </label>
        {filter !== '' && (
          <button type="button" class="small" onClick={() => setFilter('')}>
            {words.clear}
          </button>
        )}
        <span class="note" role="status">
          {found.length < all.length && words.found(count(found.length), count(all.length))}
        </span>
      </div>
      {shown.length === 0 && <p class="note">{words.none}</p>}
      <Scroll>
        <table id={id} aria-label={label}>
          <thead>
            <tr>
              {columns.map((column) => (
                <Title key={column.key} column={column} sorting={sorting} onSort={sortBy} />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <DataRow key={keyOf(row)} row={row} columns={columns} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {pages > 1 && (
        <div class="table-pages">
          <button type="button" class="small" disabled={first === 0} onClick={() => setPage(page - 1)}>
            {words.previous}
          </button>
          <span>{words.shown(count(first + 1), count(first + shown.length), count(sorted.length))}</span>
          <button
            type="button"
            class="small"
            disabled={first + shown.length >= sorted.length}
            onClick={() => setPage(first / ROWS_A_PAGE + 1)}
          >
            {words.next}
          </button>
        </div>
      )}
    </div>
  );
}

interface TitleProps<Row> {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly onSort: (key: string) => void;
}

function Title<Row>({ column, sorting, onSort }: TitleProps<Row>): JSX.Element {
  const { key, title, isNumber, isUnsorted } = column;
  const direction = sorting?.key === key ? sorting.direction : undefined;
  return (
    <th scope="col" class={isNumber ? 'number' : undefined} aria-sort={direction}>
      {isUnsorted ? (
        title
      ) : (
        <button type="button" class="sort" onClick={() => onSort(key)}>
          {title}
          <span aria-hidden="true">
            {direction === undefined ? '' : direction === 'ascending' ? ' ▲' : ' ▼'}
          </span>
        </button>
      )}
    </th>
  );
}

interface RowProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
}

class DataRow<Row> extends Component<RowProps<Row>> {
  override shouldComponentUpdate({ row, columns }: RowProps<Row>): boolean {
    const known = this.props;
    if (row === known.row && columns === known.columns) return false;
    if (columns.length !== known.columns.length) return true;
    return columns.some((column, i) => textOf(column, row) !== textOf(known.columns[i]!, known.row));
  }

  override render({ row, columns }: RowProps<Row>): JSX.Element {
    return (
      <tr>
        {columns.map((column) => (
          <td key={column.key} class={column.isNumber ? 'number' : column.isLong ? 'long' : undefined}>
            {column.cell ? column.cell(row) : textOf(column, row)}
          </td>
        ))}
      </tr>
    );
  }
}
