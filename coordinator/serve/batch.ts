// Dynamic batching inside a replica: calls that come close together are answered by one call over all of them.

import { systemClock, type Clock } from '../../shared/clock.ts';
import { OwnerCodeError, ServeArgumentError } from './serveErrors.ts';

export interface BatchOptions {
  /** Default 10. */
  readonly maxBatchSize?: number;
  /** How long the first of a batch waits for others; default 0.01. */
  readonly batchWaitTimeoutS?: number;
  readonly clock?: Clock;
}

interface Waiting<In, Out> {
  readonly item: In;
  resolve(value: Out): void;
  reject(error: unknown): void;
}

/**
 * Makes a function of one item out of a function of many. A batch is closed when it is full or its first item has
 * waited long enough.
 * @param fn gets the items in the order of their calls and returns as many results, in the same order.
 * @throws ServeArgumentError for options out of range. The calls reject with what `fn` throws.
 */
export function batch<In, Out>(
  fn: (items: In[]) => Promise<readonly Out[]> | readonly Out[],
  options: BatchOptions = {},
): (item: In) => Promise<Out> {
  const { maxBatchSize = 10, batchWaitTimeoutS = 0.01, clock = systemClock } = options;
  if (!Number.isInteger(maxBatchSize) || maxBatchSize < 1)
    throw new ServeArgumentError(`maxBatchSize must be a whole number from 1, not ${maxBatchSize}.`);
  if (!(batchWaitTimeoutS >= 0 && batchWaitTimeoutS <= 3_600))
    throw new ServeArgumentError(`batchWaitTimeoutS must be from 0 to 3600, not ${batchWaitTimeoutS}.`);

  let waiting: Waiting<In, Out>[] = [];
  let stopTimer: (() => void) | undefined;

  const close = (): void => {
    stopTimer?.();
    stopTimer = undefined;
    const closed = waiting;
    waiting = [];
    void answerBatch(fn, closed);
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (waiting.length >= maxBatchSize) close();
      else stopTimer ??= clock.after(batchWaitTimeoutS * 1_000, close);
    });
}

async function answerBatch<In, Out>(
  fn: (items: In[]) => Promise<readonly Out[]> | readonly Out[],
  calls: readonly Waiting<In, Out>[],
): Promise<void> {
  try {
    const results = await fn(calls.map(({ item }) => item));
    if (!Array.isArray(results) || results.length !== calls.length) {
      const got = Array.isArray(results) ? `${results.length} results` : typeof results;
      throw new OwnerCodeError(`A batched function got ${calls.length} items and returned ${got}.`);
    }
    for (const [i, call] of calls.entries()) call.resolve(results[i] as Out);
  } catch (error) {
    for (const call of calls) call.reject(error);
  }
}
