import { describe, expect, it } from 'vitest';
import {
  filteredRows,
  sortedRows,
  withColumn,
  withoutColumn,
  type RowColumn,
} from '../../../../client/page/design/dataRows.ts';

interface Row {
  readonly name: string;
  readonly eta?: number;
  readonly depth: number | string;
}

const columns: readonly RowColumn<Row>[] = [
  { key: 'name', value: ({ name }) => name },
  {
    key: 'params.eta',
    value: ({ eta }) => eta,
    text: ({ eta }) => (eta === undefined ? '' : `${eta} a step`),
  },
  { key: 'depth', value: ({ depth }) => depth },
];
const rows: readonly Row[] = [
  { name: 'Ada', eta: 0.3, depth: 10 },
  { name: 'Bob 2', eta: 0.05, depth: 'auto' },
  { name: 'Bob 10', depth: 9 },
  { name: 'Cy', eta: 0.1, depth: 9 },
];
const names = (found: readonly Row[]): string[] => found.map(({ name }) => name);
const found = (filter: string): string[] => names(filteredRows(columns, rows, filter));
const sorted = (key: string, direction: 'ascending' | 'descending'): string[] =>
  names(sortedRows(columns, rows, { key, direction }));

describe('filteredRows', () => {
  it.each([
    ['', ['Ada', 'Bob 2', 'Bob 10', 'Cy']],
    ['bob', ['Bob 2', 'Bob 10']],
    ['params.eta<=0.1', ['Bob 2', 'Cy']],
    ['eta>0.05', ['Ada', 'Cy']],
    ['ETA>=0.1 depth=9', ['Cy']],
    ['depth!=9', ['Ada', 'Bob 2']],
    ['depth=AUTO', ['Bob 2']],
    ['depth<100', ['Ada', 'Bob 10', 'Cy']],
    ['name:o', ['Bob 2', 'Bob 10']],
    ['"name=bob 2"', ['Bob 2']],
    ['name="Bob 2"', ['Bob 2']],
    ['"a step" y', ['Cy']],
    ['eta=0.3', ['Ada']],
    // A column that is not there is a piece of text, and a comparison that is not finished too.
    ['age>3', []],
    ['eta<', []],
    ['eta<x', []],
  ])('finds by %j', (filter, expected) => {
    expect(found(filter)).toEqual(expected);
  });
});

describe('sortedRows', () => {
  it('sorts numbers before words, words as people count, and rows without a value last in both directions', () => {
    expect(sorted('params.eta', 'ascending')).toEqual(['Bob 2', 'Cy', 'Ada', 'Bob 10']);
    expect(sorted('params.eta', 'descending')).toEqual(['Ada', 'Cy', 'Bob 2', 'Bob 10']);
    expect(sorted('depth', 'ascending')).toEqual(['Bob 10', 'Cy', 'Ada', 'Bob 2']);
    expect(sorted('name', 'descending')).toEqual(['Cy', 'Bob 10', 'Bob 2', 'Ada']);
  });

  it('leaves rows as they are without a column to sort by', () => {
    expect(sortedRows(columns, rows, undefined)).toBe(rows);
    expect(sortedRows(columns, rows, { key: 'none', direction: 'ascending' })).toBe(rows);
  });
});

describe('withColumn', () => {
  it('puts comparisons with a column in place of those before, and leaves the other terms', () => {
    const first = withColumn('bob depth=9', 'params.eta', ['>=0.1', '<=0.3']);
    expect(first).toBe('bob depth=9 params.eta>=0.1 params.eta<=0.3');
    expect(withColumn(first, 'params.eta', ['<0.2'])).toBe('bob depth=9 params.eta<0.2');
    expect(withColumn(first, 'params.eta', [])).toBe('bob depth=9');
  });

  it('keeps texts with blanks together', () => {
    const filter = withColumn('"a b"', 'name', ['=Bob 2']);
    expect(found(withoutColumn(filter, 'none').replace('"a b" ', ''))).toEqual(['Bob 2']);
    expect(withoutColumn(filter, 'name')).toBe('"a b"');
  });
});
