import { describe, expect, it } from 'vitest';
import { batchFromRows } from '../../../shared/columns/batchFormats.ts';
import type { Row } from '../../../shared/columns/valuesOf.ts';

const rowsOf = (rows: readonly Row[]): unknown[] =>
  batchFromRows(rows, 'test')
    .toArray()
    .map((row: { toJSON(): unknown }) => row.toJSON());

describe('A batch of rows', () => {
  it('has the members of all rows, whatever their order, and null where a row has none', () => {
    const rows = [{ a: 1, b: 'x' }, { b: 'y', a: 2 }, {}, { c: true, a: 3 }, { a: 4, b: 'z', c: false }];
    expect(rowsOf(rows)).toEqual([
      { a: 1, b: 'x', c: null },
      { a: 2, b: 'y', c: null },
      { a: null, b: null, c: null },
      { a: 3, b: null, c: true },
      { a: 4, b: 'z', c: false },
    ]);
  });

  it('takes names like those of members that all objects have', () => {
    const rows = [JSON.parse('{"__proto__": 1, "constructor": 2}'), { toString: 3 }] as Row[];
    const batch = batchFromRows(rows, 'test');
    expect(batch.schema.fields.map(({ name }) => name)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(batch.data.children.map(({ nullCount }) => nullCount)).toEqual([1, 1, 1]);
  });

  it('looks at no more than the members that there are', () => {
    let looks = 0;
    const counted = (row: Row): Row =>
      new Proxy(row, {
        get: (target, name) => (looks++, target[name as string]),
        getOwnPropertyDescriptor: (target, name) => (looks++, Object.getOwnPropertyDescriptor(target, name)),
      });
    const rows = Array.from({ length: 200 }, (_, i) => counted({ [`only ${i}`]: i, all: i }));
    expect(batchFromRows(rows, 'test').numCols).toBe(201);
    expect(looks).toBe(2 * 2 * 200);
  });
});
