import * as arrow from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../../coordinator/data/dataset.ts';
import { fromArrow, fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { typeName } from '../../../../shared/columns/typeName.ts';
import { failureOf } from '../support/failureOf.ts';

const wide = [{ k: 2n ** 53n + 1n }, { k: 2n ** 53n }, { k: 7n }, { k: null }];

function micros(units: bigint[]): Dataset {
  const type = new arrow.TimestampMicrosecond();
  const data = arrow.makeData({ type, length: units.length, nullCount: 0, data: new BigInt64Array(units) });
  return fromArrow(new arrow.Table({ t: new arrow.Vector([data]) }));
}

async function columnOf(dataset: Dataset): Promise<{ type: string; units: unknown[] }> {
  for await (const batch of dataset.iterArrow()) {
    const [data] = batch.data.children;
    return { type: typeName(data!.type), units: Array.from(data!.values as BigInt64Array) };
  }
  throw new Error('no batch');
}

describe('rows through functions', () => {
  it('keep 64-bit integers, signed and unsigned', async () => {
    const expected = [{ k: 2n ** 53n + 1n }, { k: 2n ** 53n }, { k: 7 }, { k: null }];
    const rows = fromItems(wide);
    expect(await rows.map((row) => row).takeAll()).toEqual(expected);
    expect(await rows.flatMap((row) => [row]).takeAll()).toEqual(expected);
    expect(await rows.mapBatches((batch) => batch, { batchFormat: 'rows' }).takeAll()).toEqual(expected);
    expect(await rows.mapBatches((batch) => ({ k: Array.from(batch['k']!) })).takeAll()).toEqual(expected);
    const table = new arrow.Table({ u: arrow.vectorFromArray([2n ** 64n - 1n, 1n], new arrow.Uint64()) });
    expect(
      await fromArrow(table)
        .map((row) => row)
        .takeAll(),
    ).toEqual([{ u: 2n ** 64n - 1n }, { u: 1 }]);
    // Small ones alone stay what they were, too: other batches may hold large ones.
    expect((await columnOf(fromItems([{ k: 7n }]).map((row) => ({ ...row })))).type).toBe('Int64');
  });

  it('refuse a mixture of fractions and integers that a double would round', async () => {
    const error = await failureOf(
      fromItems(wide)
        .map(({ k }) => ({ k: k === 7 ? 0.5 : k }))
        .takeAll(),
    );
    expect(error).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'k', row: 0 } });
    expect(await fromItems([{ k: 1n }, { k: 0.5 }]).takeAll()).toEqual([{ k: 1 }, { k: 0.5 }]);
  });

  it('keep microseconds, also of Dates that are moved, but not of those that are changed', async () => {
    const units = [1577836800000001n, -1n, 5_000_000n];
    const same = { type: 'Timestamp<MICROSECOND>', units };
    expect(await columnOf(micros(units).map((row) => row))).toEqual(same);
    expect(await columnOf(micros(units).flatMap((row) => [{ other: row['t'] }]))).toEqual(same);
    expect(await columnOf(micros(units).mapBatches((rows) => rows, { batchFormat: 'rows' }))).toEqual(same);
    const changed = micros(units).map(({ t }) => {
      (t as Date).setTime((t as Date).getTime() + 1);
      return { t };
    });
    expect((await columnOf(changed)).units).toEqual([1577836800001000n, 0n, 5_001_000n]);
  });

  it('are sorted by all digits, and bytes as bytes', async () => {
    const units = [3n, 2n, -1n, 1n];
    expect((await columnOf(micros(units).sort('t'))).units).toEqual([-1n, 1n, 2n, 3n]);
    const bytes = [[2], [10], [1], [1, 0]].map((b) => ({ b: Uint8Array.from(b) }));
    expect((await fromItems(bytes).sort('b').takeAll()).map(({ b }) => Array.from(b as Uint8Array))).toEqual([
      [1],
      [1, 0],
      [2],
      [10],
    ]);
    const numbers = [null, Number.NaN, 2, null, 1, Number.NaN];
    expect(await fromItems(numbers).sort('item').takeAll()).toEqual(
      [1, 2, Number.NaN, Number.NaN, null, null].map((item) => ({ item })),
    );
    expect(
      (
        await failureOf(
          fromItems([{ a: [1] }])
            .sort('a')
            .takeAll(),
        )
      ).message,
    ).toContain('has no order');
  });

  it('have members named like those of Object.prototype', async () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const [row] = await fromItems([Object.fromEntries(names.map((name, i) => [name, i]))])
      .map((given) => given)
      .takeAll();
    expect(Object.entries(row!)).toEqual(names.map((name, i) => [name, i]));
    expect(await fromItems([{ a: 1 }, { constructor: 2 }]).takeAll()).toEqual([
      { a: 1, constructor: null },
      { a: null, constructor: 2 },
    ]);
  });
});

describe('functions of batches', () => {
  it('may be generators, also asynchronous ones', async () => {
    const rows = fromItems([{ a: 1 }, { a: 2 }]);
    const twice = function* (batch: Record<string, ArrayLike<unknown>>) {
      yield batch;
      yield [{ a: 3 }];
    };
    expect(await rows.mapBatches(twice).takeAll()).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
    const later = async function* (batch: Record<string, ArrayLike<unknown>>) {
      yield await Promise.resolve(batch);
    };
    expect(await rows.mapBatches(later).takeAll()).toEqual([{ a: 1 }, { a: 2 }]);
    // oxlint-disable-next-line require-yield
    expect(await rows.mapBatches(function* () {}).takeAll()).toEqual([]);
  });

  it('wait for init() of a class, once for each object', async () => {
    let inits = 0;
    class Model {
      factor = 0;
      async init(): Promise<void> {
        inits++;
        this.factor = await Promise.resolve(7);
      }
      call(batch: Record<string, ArrayLike<unknown>>) {
        return { a: Array.from(batch['a']!, (a) => Number(a) * this.factor) };
      }
    }
    const rows = fromItems(Array.from({ length: 6 }, (_, a) => ({ a })));
    const mapped = rows.mapBatches(Model, { batchSize: 1, concurrency: 2 });
    expect(await mapped.takeAll()).toEqual([0, 7, 14, 21, 28, 35].map((a) => ({ a })));
    expect(inits).toBe(2);
    class Broken {
      init(): never {
        throw new Error('no weights');
      }
      call(batch: Record<string, ArrayLike<unknown>>) {
        return batch;
      }
    }
    const error = await failureOf(rows.mapBatches(Broken).takeAll());
    expect(error.code).toBe('DATA_USER_FUNCTION');
    expect(error.message).toContain('init() of mapBatches Broken threw: no weights');
  });
});

describe('datasets that are combined', () => {
  it('have the same columns in a union, of types that hold both', async () => {
    const error = await failureOf(
      fromItems([{ a: 1 }])
        .union(fromItems([{ b: 'x' }]))
        .columns(),
    );
    expect(error).toMatchObject({ code: 'DATA_TYPE_MISMATCH', place: { column: 'a' } });
    const other = fromArrow(
      new arrow.Table({
        b: arrow.vectorFromArray([1], new arrow.Int32()),
        a: arrow.vectorFromArray([2], new arrow.Int16()),
      }),
    );
    const both = other.union(fromItems([{ a: 0.5, b: 3 }]));
    expect(await both.takeAll()).toEqual([
      { b: 1, a: 2 },
      { b: 3, a: 0.5 },
    ]);
    expect(await both.selectColumns(['a']).takeBatch()).toEqual({ a: Float64Array.of(2, 0.5) });
    const text = fromItems([{ a: 1 }]).union(fromItems([{ a: 'x' }]));
    expect((await failureOf(text.takeAll())).code).toBe('DATA_TYPE_MISMATCH');
    // Where functions decide the columns, rows are compared.
    const mapped = fromItems([{ a: 1 }]).map((row) => row);
    expect((await failureOf(mapped.union(fromItems([{ b: 1 }])).takeAll())).message).toContain('column "a"');
  });

  it('are counted no longer than both are when they are zipped', async () => {
    const [one, two] = [fromItems([{ a: 1 }]), fromItems([{ b: 1 }, { b: 2 }])];
    expect((await failureOf(one.zip(two).count())).code).toBe('DATA_TYPE_MISMATCH');
    expect((await failureOf(two.zip(one).count())).code).toBe('DATA_TYPE_MISMATCH');
  });

  it('keep one column of a name', async () => {
    const rows = fromItems([{ a: 1, b: 2 }]);
    expect((await failureOf(rows.renameColumns({ a: 'b' }).takeAll())).code).toBe('DATA_ARGUMENT');
    expect(await rows.renameColumns({ a: 'b', b: 'a' }).takeAll()).toEqual([{ b: 1, a: 2 }]);
    expect(() => rows.selectColumns(['a', 'a'])).toThrow(/two columns named "a"/);
  });

  it('keep their columns without rows', async () => {
    const none = fromItems([{ a: 1, s: 'x', l: [1], o: { c: 1n } }]).filter(() => false);
    expect(await none.takeBatch()).toEqual({ a: new Float64Array(0), s: [], l: [], o: [] });
    expect(await (await none.materialize()).columns()).toEqual(['a', 's', 'l', 'o']);
  });
});
