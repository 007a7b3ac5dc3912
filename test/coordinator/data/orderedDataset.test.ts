import { describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { duckRows, withDuck } from './support/duck.ts';
import { failureOf } from './support/failureOf.ts';
import { flightsParquet } from './support/scratch.ts';
import { numbers, values, inBatches } from './support/numbersDataset.ts';

describe('orders', () => {
  it('shuffles to a permutation that depends on the seed alone, in memory and on disk', async () => {
    const whole = numbers(5000);
    const shuffled = await values(whole.randomShuffle(3));
    expect(shuffled).not.toEqual(await values(whole));
    expect(shuffled.toSorted((a, b) => Number(a) - Number(b))).toEqual(await values(whole));
    const onDisk: unknown[] = [];
    const cut = await inBatches(whole, 333);
    for await (const row of cut.randomShuffle(3).iterRows({ memoryLimitBytes: 1000 })) onDisk.push(row['i']);
    expect(onDisk).toEqual(shuffled);
    expect(await values(whole.randomShuffle(4))).not.toEqual(shuffled);
  });

  it('sorts by several columns, missing last, the same in memory and on disk', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      word: i % 7 === 0 ? null : `w${(i * 31) % 5}`,
      n: i % 11 === 0 ? Number.NaN : (i * 7919) % 101,
      i,
    }));
    const cut = await inBatches(fromItems(rows), 100);
    const key = (value: unknown): [number, unknown] =>
      value === null || Number.isNaN(value) ? [1, 0] : [0, value];
    const compare = (a: unknown, b: unknown): number => {
      const [x, y] = [key(a), key(b)];
      return x[0] - y[0] || ((x[1] as number) < (y[1] as number) ? -1 : x[1] === y[1] ? 0 : 1);
    };
    const expected = rows
      .toSorted((a, b) => compare(a.word, b.word) || compare(a.n, b.n) || a.i - b.i)
      .map(({ i }) => i);
    expect(await values(cut.sort(['word', 'n']))).toEqual(expected);
    const merged: unknown[] = [];
    for await (const row of cut.sort(['word', 'n']).iterRows({ memoryLimitBytes: 8000 }))
      merged.push(row['i']);
    expect(merged).toEqual(expected);
    const descending = (await values(cut.sort('n', { descending: true }), 'n')) as number[];
    expect(descending[0]).toBe(100);
    expect(Number.isNaN(descending.at(-1))).toBe(true);
  });

  it('joins datasets one after the other and side by side', async () => {
    expect(await values(numbers(2).union(numbers(3), numbers(1)))).toEqual([0, 1, 0, 1, 2, 0]);
    const zipped = numbers(3).zip(
      (await inBatches(numbers(3), 1)).map(({ i }) => ({ i: -(i as number), j: 'x' })),
    );
    expect(await zipped.take(2)).toEqual([
      { i: 0, i_1: -0, j: 'x' },
      { i: 1, i_1: -1, j: 'x' },
    ]);
    expect((await failureOf(numbers(3).zip(numbers(4)).takeAll())).code).toBe('DATA_TYPE_MISMATCH');
  });
});

describe('groupBy', () => {
  it('aggregates the flights as DuckDB does', async () => {
    const rows = await readParquet(flightsParquet)
      .limit(200_000)
      .groupBy('origin')
      .aggregate([
        { kind: 'count', column: undefined },
        { kind: 'sum', column: 'distance' },
        { kind: 'min', column: 'delay' },
        { kind: 'max', column: 'delay' },
        { kind: 'mean', column: 'delay' },
        { kind: 'std', column: 'delay' },
      ])
      .takeAll();
    const expected = await withDuck((duck) =>
      duckRows(
        duck,
        `SELECT origin, count(*)::DOUBLE c, sum(distance)::DOUBLE s, min(delay)::DOUBLE lo, max(delay)::DOUBLE hi,
         avg(delay) m, stddev_samp(delay) sd FROM (SELECT * FROM '${flightsParquet}' LIMIT 200000) GROUP BY origin ORDER BY origin`,
      ),
    );
    expect(rows).toHaveLength(expected.length);
    for (const [i, row] of rows.entries()) {
      const { origin, c, s, lo, hi, m, sd } = expected[i]!;
      expect(row).toMatchObject({
        origin,
        'count()': c,
        'sum(distance)': s,
        'min(delay)': lo,
        'max(delay)': hi,
      });
      expect(row['mean(delay)']).toBeCloseTo(m as number, 9);
      if (sd === null) expect(row['std(delay)']).toBeNull();
      else expect(row['std(delay)']).toBeCloseTo(sd as number, 9);
    }
  });

  it('takes no key for one group of all rows, and lists different values', async () => {
    const dataset = fromItems([
      { a: 3, b: 'y' },
      { a: 1, b: null },
      { a: 3, b: 'x' },
    ]);
    expect(await dataset.groupBy([]).mean('a').takeAll()).toEqual([{ 'mean(a)': 7 / 3 }]);
    expect(await dataset.unique('b')).toEqual(['x', 'y', null]);
  });

  it('refuses to sum strings', async () => {
    const error = await failureOf(
      fromItems([{ a: 'x', g: 1 }])
        .groupBy('g')
        .sum('a')
        .takeAll(),
    );
    expect(error).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'a' } });
  });
});

describe('execution', () => {
  it('reads no more than is asked for', async () => {
    const dataset = readParquet(flightsParquet, { batchRows: 1000 }).limit(2500);
    expect(await dataset.count()).toBe(2500);
    const rows: unknown[] = [];
    for await (const row of dataset.iterRows()) rows.push(row);
    expect(rows).toHaveLength(2500);
    const [read, limit] = dataset.stats();
    expect(read).toMatchObject({ rows: 3000, batches: 3 });
    expect(limit).toMatchObject({ operator: 'limit 2500', rows: 2500, batches: 3 });
  });

  it('pulls one batch at a time: a slow consumer holds up the source', async () => {
    let made = 0;
    const dataset = (await inBatches(numbers(1000), 10)).mapBatches((batch) => {
      made++;
      return batch;
    });
    let taken = 0;
    for await (const _ of dataset.iterArrow()) {
      taken++;
      expect(made).toBe(taken);
    }
    expect(taken).toBe(100);
  });

  it('stops when the signal fires', async () => {
    const abort = new AbortController();
    const run = async (): Promise<void> => {
      for await (const _ of readParquet(flightsParquet).iterArrow({ signal: abort.signal })) abort.abort();
    };
    expect((await failureOf(run())).code).toBe('ABORTED');
  });

  it('computes once what is materialized, in memory or on disk', async () => {
    for (const memoryLimitBytes of [1e9, 1000]) {
      let calls = 0;
      const kept = await (
        await inBatches(numbers(500))
      )
        .map((row) => {
          calls++;
          return row;
        })
        .materialize({ memoryLimitBytes });
      expect(await kept.count()).toBe(500);
      expect(await values(kept)).toEqual(await values(numbers(500)));
      expect(calls).toBe(500);
    }
  });

  it('shows a table and refuses to take more than a limit', async () => {
    const lines: string[] = [];
    await fromItems([
      { a: 1, long: 'x'.repeat(50) },
      { a: null, long: 'y' },
    ]).show(2, (text) => lines.push(text));
    expect(
      lines
        .join('\n')
        .split('\n')
        .map((line) => line.slice(0, 8)),
    ).toEqual(['a  long', '-  -----', '1  xxxxx', '   y']);
    expect((await failureOf(numbers(10).takeAll(9))).code).toBe('DATA_ARGUMENT');
  });
});
