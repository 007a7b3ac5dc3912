import { describe, expect, it } from 'vitest';
import { batch } from '../../../../coordinator/serve/replica/batch.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

describe('batch', () => {
  it('answers each call with its own result, full batches at once and others after the wait', async () => {
    const clock = new ManualClock();
    const batches: number[][] = [];
    const square = batch(
      (items: number[]) => {
        batches.push(items);
        return Promise.resolve(items.map((item) => item * item));
      },
      { maxBatchSize: 3, clock },
    );
    const calls = [1, 2, 3, 4].map((item) => square(item));
    expect(batches).toEqual([[1, 2, 3]]);
    await clock.advanceSettled(9);
    expect(batches).toHaveLength(1);
    await clock.advanceSettled(1);
    expect(batches).toEqual([[1, 2, 3], [4]]);
    expect(await Promise.all(calls)).toEqual([1, 4, 9, 16]);
  });

  it('takes ten items at most unless told otherwise', () => {
    const sizes: number[] = [];
    const count = batch((items: number[]) => (sizes.push(items.length), items), { clock: new ManualClock() });
    for (let i = 0; i < 25; i++) void count(i);
    expect(sizes).toEqual([10, 10]);
  });

  it('gives the wait to the first of each batch', async () => {
    const clock = new ManualClock();
    const sizes: number[] = [];
    const count = batch((items: number[]) => (sizes.push(items.length), items), {
      batchWaitTimeoutS: 1,
      clock,
    });
    const calls = [count(1)];
    await clock.advanceSettled(900);
    calls.push(count(2));
    await clock.advanceSettled(100);
    calls.push(count(3));
    await clock.advanceSettled(900);
    expect(sizes).toEqual([2]);
    await clock.advanceSettled(100);
    expect(sizes).toEqual([2, 1]);
    await Promise.all(calls);
  });

  it('computes as many batches at a time as it may, and the next one grows meanwhile', async () => {
    const clock = new ManualClock();
    const batches: { readonly items: number[]; finish(): void }[] = [];
    const double = batch(
      (items: number[]) =>
        new Promise<number[]>((resolve) => {
          batches.push({ items, finish: () => resolve(items.map((item) => 2 * item)) });
        }),
      { maxBatchSize: 3, batchWaitTimeoutS: 1, maxConcurrentBatches: 1, clock },
    );
    const items = (): number[][] => batches.map((one) => one.items);
    const calls = [1, 2, 3, 4].map((item) => double(item));
    await clock.advanceSettled(5_000);
    calls.push(...[5, 6, 7, 8].map((item) => double(item)));
    expect(items()).toEqual([[1, 2, 3]]);
    batches[0]!.finish();
    await clock.advanceSettled(0);
    expect(items()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    batches[1]!.finish();
    await clock.advanceSettled(999);
    expect(batches).toHaveLength(2);
    await clock.advanceSettled(1);
    expect(batches[2]!.items).toEqual([7, 8]);
    batches[2]!.finish();
    expect(await Promise.all(calls)).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  });

  it('rejects all calls of a batch that throws or returns too few, and goes on', async () => {
    const answers = [
      () => {
        throw new Error('broken');
      },
      () => [1],
      () => 'text' as never,
      (items: number[]) => items,
    ];
    const next = batch((items: number[]) => answers.shift()!(items), { maxBatchSize: 2 });
    const pair = (): Promise<PromiseSettledResult<number>[]> => Promise.allSettled([next(1), next(2)]);
    for (const reason of ['broken', 'got 2 items and returned 1 results', 'returned string']) {
      const message = expect.stringContaining(reason) as string;
      expect(await pair()).toMatchObject([{ reason: { message } }, { reason: { message } }]);
    }
    expect(await Promise.all([next(1), next(2)])).toEqual([1, 2]);
  });

  it('refuses sizes and waits out of range', () => {
    expect(() => batch(() => [], { maxBatchSize: 0 })).toThrow(/maxBatchSize/);
    expect(() => batch(() => [], { batchWaitTimeoutS: NaN })).toThrow(/batchWaitTimeoutS/);
    expect(() => batch(() => [], { maxConcurrentBatches: 0 })).toThrow(/maxConcurrentBatches/);
  });
});
