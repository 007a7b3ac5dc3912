import { describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { readParquet } from '../../../coordinator/data/readParquet.ts';
import { failureOf } from './support/failureOf.ts';
import { flightsParquet } from './support/scratch.ts';
import { numbers, values, inBatches } from './support/numbersDataset.ts';

describe('columns of a dataset', () => {
  const dataset = fromItems([
    { a: 1, b: 'x', c: true },
    { a: 2, b: null, c: false },
  ]);

  it('are selected, dropped, renamed and added', async () => {
    expect(await dataset.selectColumns(['c', 'a']).take(1)).toEqual([{ c: true, a: 1 }]);
    expect(await dataset.dropColumns(['a']).columns()).toEqual(['b', 'c']);
    expect(await dataset.renameColumns({ a: 'z' }).selectColumns(['z']).take(1)).toEqual([{ z: 1 }]);
    const doubled = dataset.addColumn('twice', ({ a }) =>
      Float64Array.from(a as Float64Array, (value) => 2 * value),
    );
    expect(await doubled.take()).toEqual([
      { a: 1, b: 'x', c: true, twice: 2 },
      { a: 2, b: null, c: false, twice: 4 },
    ]);
    expect((await failureOf(dataset.dropColumns(['d']).take(1))).code).toBe('DATA_COLUMN_UNKNOWN');
    expect((await failureOf(dataset.renameColumns({ d: 'e' }).columns())).code).toBe('DATA_COLUMN_UNKNOWN');
    const wrong = dataset.dropColumns(['d']).selectColumns(['a']);
    expect((await failureOf(wrong.take(1))).code).toBe('DATA_COLUMN_UNKNOWN');
  });

  it('are the only ones read when a plan needs no more', () => {
    const plan = readParquet(flightsParquet)
      .renameColumns({ delay: 'late' })
      .limit(5)
      .dropColumns(['origin'])
      .selectColumns(['late'])
      .explain();
    expect(plan).toContain('flights-3m.parquet [delay]');
    expect(readParquet(flightsParquet).randomShuffle(1).selectColumns(['date']).explain()).toContain(
      '[date]',
    );
    expect(
      readParquet(flightsParquet)
        .map((row) => row)
        .selectColumns(['date'])
        .explain(),
    ).not.toContain('[');
  });

  it('come as plain arrays to trainers, missing values marked', async () => {
    for await (const { rows, columns } of dataset.streamColumns(['c', 'b', 'a'])) {
      expect(rows).toBe(2);
      const [c, b, a] = columns;
      expect(c).toMatchObject({ kind: 'numeric', meaning: 'boolean', values: Int32Array.of(1, 0) });
      expect(b).toMatchObject({ kind: 'categorical', codes: Int32Array.of(0, -1), dictionary: ['x'] });
      expect(a).toMatchObject({
        kind: 'numeric',
        meaning: 'number',
        values: Float64Array.of(1, 2),
        valid: undefined,
      });
    }
  });
});

describe('functions of rows', () => {
  it('map, filter and flatMap as arrays do', async () => {
    const dataset = await inBatches(numbers(257));
    const list = Array.from({ length: 257 }, (_, i) => i);
    expect(await values(dataset.map(({ i }) => ({ i: (i as number) ** 2 })))).toEqual(list.map((i) => i * i));
    expect(await values(dataset.filter(({ i }) => (i as number) % 3 === 0))).toEqual(
      list.filter((i) => i % 3 === 0),
    );
    const repeated = dataset.flatMap(({ i }) => Array.from({ length: (i as number) % 3 }, () => ({ i })));
    expect(await values(repeated)).toEqual(list.flatMap((i) => Array.from({ length: i % 3 }, () => i)));
    expect(await dataset.filter(() => false).count()).toBe(0);
  });

  it('name operator and row when they throw, and keep the cause', async () => {
    const cause = new Error('broken');
    const dataset = (await inBatches(numbers(250))).map(({ i }) => {
      if (i === 123) throw cause;
      return { i };
    });
    const error = await failureOf(dataset.takeAll());
    expect(error).toMatchObject({ code: 'DATA_USER_FUNCTION', place: { row: 123 }, cause });
    expect(error.message).toContain('map failed on row 123: broken');
  });

  it('may be asynchronous', async () => {
    expect(
      await values(numbers(3).map(async ({ i }) => ({ i: await Promise.resolve((i as number) + 1) }))),
    ).toEqual([1, 2, 3]);
  });
});

describe('mapBatches', () => {
  it('gives batches of the asked size in each form and takes any form back', async () => {
    const sizes: number[] = [];
    const dataset = await inBatches(numbers(230));
    const columns = dataset.mapBatches(
      (batch) => {
        sizes.push(batch['i']!.length);
        return { i: (batch['i'] as Float64Array).map((value) => value + 1) };
      },
      { batchSize: 64 },
    );
    const expected = Array.from({ length: 230 }, (_, i) => i + 1);
    expect(await values(columns)).toEqual(expected);
    expect(sizes).toEqual([64, 64, 64, 38]);
    const rows = dataset.mapBatches((batch) => batch.map(({ i }) => ({ i: (i as number) + 1 })), {
      batchFormat: 'rows',
    });
    expect(await values(rows)).toEqual(expected);
    const same = dataset.mapBatches((batch) => batch, { batchFormat: 'arrow' });
    expect(await values(same)).toEqual(expected.map((i) => i - 1));
  });

  it('keeps types and missing values of columns that it hands through, and sees what was written into them', async () => {
    const flights = readParquet(flightsParquet).limit(1000);
    const through = flights.mapBatches((batch) => ({
      ...batch,
      late: Array.from(batch['delay'] as Float64Array, (d) => d > 15),
    }));
    expect(String((await through.schema()).fields.find(({ name }) => name === 'delay')?.type)).toBe('Int64');
    const written = numbers(3).mapBatches((batch) => {
      (batch['i'] as Float64Array)[1] = 9;
      return batch;
    });
    expect(await values(written)).toEqual([0, 9, 2]);
  });

  it('keeps the order with several calls in flight and never has more than allowed', async () => {
    let inFlight = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const dataset = (await inBatches(numbers(1000), 50)).mapBatches(
      async (batch) => {
        most = Math.max(most, ++inFlight);
        // Calls finish in reverse order of their start, three at a time.
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === 3 || batch['i']![0] === 950 || batch['i']![0] === 900) {
            for (const wake of waiting.splice(0).reverse()) wake();
          }
        });
        inFlight--;
        return batch;
      },
      { concurrency: 3 },
    );
    expect(await values(dataset)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(most).toBe(3);
  });

  it('makes one object a call in flight, with its arguments, and closes them', async () => {
    const events: string[] = [];
    class AddModel {
      readonly #add: number;
      constructor(add: number) {
        this.#add = add;
        events.push('made');
      }
      call(batch: { readonly [name: string]: ArrayLike<unknown> }): Record<string, ArrayLike<unknown>> {
        return { i: (batch['i'] as Float64Array).map((value) => value + this.#add) };
      }
      close(): void {
        events.push('closed');
      }
    }
    const dataset = (await inBatches(numbers(500), 50)).mapBatches(AddModel, {
      fnConstructorArgs: [10],
      concurrency: 2,
    });
    expect(await values(dataset)).toEqual(Array.from({ length: 500 }, (_, i) => i + 10));
    expect(events).toEqual(['made', 'made', 'closed', 'closed']);
  });

  it('names operator, batch and rows when it throws or returns what is no batch', async () => {
    const dataset = await inBatches(numbers(300));
    const predict = (batch: Record<string, ArrayLike<unknown>>): Record<string, ArrayLike<unknown>> => {
      if (batch['i']![0] === 200) throw new Error('no GPU');
      return batch;
    };
    const error = await failureOf(dataset.mapBatches(predict).takeAll());
    expect(error.message).toBe('mapBatches predict failed on batch 2 (rows 200 to 299): no GPU');
    const ragged = dataset.mapBatches(() => ({ a: [1, 2], b: [1] }));
    expect((await failureOf(ragged.takeAll())).message).toContain('1 values in column "b" and 2 in others');
    expect(() => dataset.mapBatches(predict, { concurrency: 0 })).toThrow(/concurrency is 0/);
  });
});

describe('splitting', () => {
  it('gives the last rows as test rows, exactly as many as Ray does', async () => {
    const [train, test] = numbers(10).trainTestSplit(0.25);
    expect(await values(train)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await values(test)).toEqual([7, 8, 9]);
    const [, three] = numbers(10).trainTestSplit(3);
    expect(await three.count()).toBe(3);
  });

  it('draws exactly so many rows when shuffled, the same for the same seed however rows are batched', async () => {
    const whole = numbers(1001);
    const cut = await inBatches(whole, 7);
    const [train, test] = whole.trainTestSplit(0.3, { shuffle: true, seed: 5 });
    const [, again] = cut.trainTestSplit(0.3, { shuffle: true, seed: 5 });
    const drawn = await values(test);
    expect(drawn).toHaveLength(301);
    expect(await values(again)).toEqual(drawn);
    expect([...(await values(train)), ...drawn].sort((a, b) => Number(a) - Number(b))).toEqual(
      await values(whole),
    );
    const [, other] = whole.trainTestSplit(0.3, { shuffle: true, seed: 6 });
    expect(await values(other)).not.toEqual(drawn);
    const thirds = drawn.filter((i) => (i as number) < 334).length;
    expect(thirds).toBeGreaterThan(75);
    expect(thirds).toBeLessThan(125);
  });

  it('refuses sizes that leave a part without rows', async () => {
    expect((await failureOf(numbers(3).trainTestSplit(3)[0].count())).code).toBe('DATA_ARGUMENT');
    expect(() => numbers(3).trainTestSplit(1.5)).toThrow(/testSize is 1.5/);
    expect(() => numbers(3).trainTestSplit(0)).toThrow(/testSize is 0/);
    expect((await failureOf(fromItems([]).trainTestSplit(0.5)[1].takeAll())).code).toBe('DATA_ARGUMENT');
  });

  it('splits to parts of nearly equal size and repartitions', async () => {
    const parts = await Promise.all(
      numbers(10)
        .split(3)
        .map((part) => values(part)),
    );
    expect(parts).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8, 9],
    ]);
    const sizes: number[] = [];
    for await (const batch of (await inBatches(numbers(257))).repartition(4).iterArrow())
      sizes.push(batch.numRows);
    expect(sizes).toEqual([65, 65, 65, 62]);
  });

  it('gives consumers of a streaming split each row once in every pass', async () => {
    const shares = (await inBatches(numbers(1000), 10)).streamingSplit(3);
    for (let pass = 0; pass < 2; pass++) {
      const seen = await Promise.all(
        shares.map(async (share) => {
          const own: number[] = [];
          for await (const { i } of share.iterBatches()) own.push(...(i as Float64Array));
          return own;
        }),
      );
      expect(seen.every((own) => own.length > 0)).toBe(true);
      expect(seen.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    }
  });
});
