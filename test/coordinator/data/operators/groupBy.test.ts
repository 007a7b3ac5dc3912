import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { fromArrow, fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { readParquet } from '../../../../coordinator/data/readParquet.ts';
import { typeName } from '../../../../shared/columns/typeName.ts';
import { duckRows, withDuck } from '../support/duck.ts';
import { failureOf } from '../support/failureOf.ts';
import { scratchFolder } from '../support/scratch.ts';

const path = scratchFolder();

describe('groups', () => {
  it('are told apart by value, whatever their type', async () => {
    const keys = [{ a: 1 }, { a: 2 }, { a: 1 }];
    expect(
      await fromItems(keys.map((k) => ({ k })))
        .groupBy('k')
        .count()
        .takeAll(),
    ).toEqual([
      { k: { a: 1 }, 'count()': 2 },
      { k: { a: 2 }, 'count()': 1 },
    ]);
    const lists = [[null], [], ['a,b'], ['a', 'b'], ['a', 'b']];
    expect(
      await fromItems(lists.map((k) => ({ k })))
        .groupBy('k')
        .count()
        .takeAll(),
    ).toEqual([
      { k: [], 'count()': 1 },
      { k: ['a', 'b'], 'count()': 2 },
      { k: ['a,b'], 'count()': 1 },
      { k: [null], 'count()': 1 },
    ]);
    const nul = [
      { k: 'x\u0000string:y', m: 'z' },
      { k: 'x', m: 'y\u0000string:z' },
    ];
    expect(await fromItems(nul).groupBy(['k', 'm']).count().count()).toBe(2);
    expect(await fromItems([0, -0, Number.NaN, null, Number.NaN]).groupBy('item').count().takeAll()).toEqual([
      { item: 0, 'count()': 2 },
      { item: Number.NaN, 'count()': 2 },
      { item: null, 'count()': 1 },
    ]);
  });

  it('keep 64-bit integers and microseconds apart, and their types', async () => {
    const ids = [2n ** 53n, 2n ** 53n + 1n, 7n, 7n];
    expect(await fromItems(ids.map((k) => ({ k }))).unique('k')).toEqual([7, 2n ** 53n, 2n ** 53n + 1n]);
    const times = new BigInt64Array([1577836800000001n, 1577836800000002n, 1577836800000001n]);
    const type = new arrow.TimestampMicrosecond();
    const data = arrow.makeData({ type, length: 3, nullCount: 0, data: times });
    const groups = fromArrow(new arrow.Table({ t: new arrow.Vector([data]) })).groupBy('t');
    for await (const batch of groups.aggregate([{ kind: 'max', column: 't' }]).iterArrow()) {
      for (const column of batch.data.children) {
        expect(typeName(column.type)).toBe('Timestamp<MICROSECOND>');
        expect(Array.from(column.values as BigInt64Array)).toEqual([1577836800000001n, 1577836800000002n]);
      }
    }
  });

  it('have exact sums of whole numbers, and an error for one beyond 64 bits', async () => {
    const sum = (values: bigint[]): Promise<Record<string, unknown>[]> =>
      fromItems(values.map((k) => ({ k })))
        .groupBy([])
        .sum('k')
        .takeAll();
    expect(await sum([2n ** 53n + 1n, 1n, 1n])).toEqual([{ 'sum(k)': 9007199254740995n }]);
    expect(await sum([2n ** 62n, 2n ** 62n, -1n])).toEqual([{ 'sum(k)': 2n ** 63n - 1n }]);
    const error = await failureOf(sum([2n ** 62n, 2n ** 62n]));
    expect(error.code).toBe('DATA_TYPE_MISMATCH');
    expect(error.message).toContain('"k" is 9223372036854775808');
    const unsigned = new arrow.Table({ u: arrow.vectorFromArray([2n ** 64n - 1n, 1n], new arrow.Uint64()) });
    expect(await fromArrow(unsigned).groupBy([]).max('u').takeAll()).toEqual([{ 'max(u)': 2n ** 64n - 1n }]);
  });

  it('take NaN for the largest number, in any order, as DuckDB does', async () => {
    for (const values of [
      [Number.NaN, 1, 2],
      [1, 2, Number.NaN],
    ]) {
      const own = await fromItems(values.map((x) => ({ x })))
        .groupBy([])
        .aggregate([
          { kind: 'min', column: 'x' },
          { kind: 'max', column: 'x' },
        ])
        .takeAll();
      const duck = await withDuck((connection) =>
        duckRows(
          connection,
          `SELECT min(x) AS "min(x)", max(x) AS "max(x)" FROM (VALUES ${values.map((x) => `('${x}'::DOUBLE)`).join(', ')}) t(x)`,
        ),
      );
      expect(own).toEqual(duck);
    }
  });

  it('that do not fit in memory come out as DuckDB has them', async () => {
    const file = path('many.parquet');
    await withDuck((connection) =>
      connection.run(
        `COPY (SELECT CASE WHEN i % 1000 = 0 THEN NULL WHEN i % 999 = 0 THEN 'NaN'::DOUBLE ELSE (i * 7919) % 301 + 0.5 END AS k,
           's' || i % 3 AS s, CASE WHEN i % 5 = 0 THEN NULL ELSE i::BIGINT * 1000000007 END AS n, (i % 97) / 4 AS x
         FROM range(20000) t(i)) TO '${file}'`,
      ),
    );
    const aggregates = (['sum', 'min', 'max', 'count', 'mean', 'std'] as const).flatMap((kind) =>
      ['n', 'x'].map((column) => ({ kind, column })),
    );
    const groups = readParquet(file)
      .groupBy(['k', 's'])
      .aggregate([...aggregates, { kind: 'max', column: 's' }]);
    const small = await groups.takeAll(1_000_000, { memoryLimitBytes: 60_000 });
    const ample = await groups.takeAll();
    const name = (kind: string): string => (kind === 'mean' ? 'avg' : kind === 'std' ? 'stddev_samp' : kind);
    const duck = await withDuck((connection) =>
      duckRows(
        connection,
        `SELECT k, s, ${aggregates.map(({ kind, column }) => `${name(kind)}(${column}) AS "${kind}(${column})"`).join(', ')},
           max(s) AS "max(s)" FROM '${file}' GROUP BY ALL ORDER BY k NULLS LAST, s`,
      ),
    );
    expect(small).toHaveLength(duck.length);
    for (const [i, row] of duck.entries())
      for (const [column, value] of Object.entries(row))
        for (const own of [small[i]![column], ample[i]![column]])
          if (typeof value === 'number' && Number.isFinite(value)) expect(own).toBeCloseTo(value, -2);
          else
            expect(typeof own === 'number' && typeof value === 'bigint' ? BigInt(own) : own).toEqual(value);
  }, 120_000);

  it('have columns without a row, and refuse what makes no sense', async () => {
    const rows = fromItems([{ g: 1, x: 2, 'count()': 3 }]);
    const empty = rows.filter(() => false).groupBy('g');
    expect(await empty.sum('x').columns()).toEqual(['g', 'sum(x)']);
    expect(await empty.sum('x').takeAll()).toEqual([]);
    const median = { kind: 'median' as 'max', column: 'x' };
    expect(() => rows.groupBy('g').aggregate([median])).toThrow(/"median" is no aggregate; sum, min/);
    expect(() => rows.groupBy('count()').count()).toThrow(/two columns named "count\(\)"/);
    expect(() => rows.groupBy('g').aggregate([{ kind: 'sum', column: undefined }])).toThrow(/needs the name/);
    expect((await failureOf(rows.groupBy('g').sum('nothing').takeAll())).code).toBe('DATA_COLUMN_UNKNOWN');
    expect(await rows.unique('count()')).toEqual([3]);
  });

  it('go on in the wider type where batches differ', async () => {
    const rows = fromItems([{ x: 1n }, { x: 2n ** 60n }]).union(fromItems([{ x: null }, { x: 5 }]));
    expect(await rows.groupBy([]).max('x').takeAll()).toEqual([{ 'max(x)': 2 ** 60 }]);
  });
});
