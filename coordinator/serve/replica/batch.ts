// Dynamic batching inside a replica: calls that come close together are answered by one call over all of them.

import { systemClock, type Clock } from '../../../shared/clock.ts';
import { OwnerCodeError, ServeArgumentError } from '../request/serveErrors.ts';

/** When `batch` closes a batch. */
export interface BatchOptions {
  /** Default 10. */
  readonly maxBatchSize?: number;
  /** How long the first of a batch waits for others; default 0.01. */
  readonly batchWaitTimeoutS?: number;
  /** Batches that are computed at a time; others wait, and grow while they do. Default: any number. */
  readonly maxConcurrentBatches?: number;
  readonly clock?: Clock;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly sinceMs: number;
  resolve(value: Out): void;
  reject(error: unknown): void;
}

/**
 * Makes a function of one item out of a function of many. A batch is closed when it is full or its first item has
 * waited long enough, and no more are being computed than may be.
 * @param fn gets the items in the order of their calls and returns as many results, in the same order.
 * @throws ServeArgumentError for options out of range. The calls reject with what `fn` throws.
 */
export function batch<In, Out>(
  fn: (items: In[]) => Promise<readonly Out[]> | readonly Out[],
  options: BatchOptions = {},
): (item: In) => Promise<Out> {
  const { maxBatchSize = 10, batchWaitTimeoutS = 0.01, clock = systemClock } = options;
  const { maxConcurrentBatches = Infinity } = options;
  if (!Number.isInteger(maxBatchSize) || maxBatchSize < 1)
    throw new ServeArgumentError(`maxBatchSize must be a whole number from 1, not ${maxBatchSize}.`);
  if (!(batchWaitTimeoutS >= 0 && batchWaitTimeoutS <= 3_600))
    throw new ServeArgumentError(`batchWaitTimeoutS must be from 0 to 3600, not ${batchWaitTimeoutS}.`);
  if (!(maxConcurrentBatches >= 1))
    throw new ServeArgumentError(`maxConcurrentBatches must be from 1, not ${maxConcurrentBatches}.`);

  let waiting: Waiting<In, Out>[] = [];
  let stopTimer: (() => void) | undefined;
  let computing = 0;
  /** Whether the first of those that wait has waited long enough. */
  let isDue = false;

  const proceed = (): void => {
    while (computing < maxConcurrentBatches && (waiting.length >= maxBatchSize || isDue)) {
      stopTimer?.();
      stopTimer = undefined;
      isDue = false;
      const closed = waiting.slice(0, maxBatchSize);
      waiting = waiting.slice(maxBatchSize);
      computing += 1;
      void answerBatch(fn, closed).then(() => {
        computing -= 1;
        proceed();
      });
    }
    const [first] = waiting;
    if (!first || isDue) return;
    stopTimer ??= clock.after(Math.max(0, first.sinceMs + batchWaitTimeoutS * 1_000 - clock.now()), due);
  };
  const due = (): void => {
    stopTimer = undefined;
    isDue = true;
    proceed();
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject, sinceMs: clock.now() });
      proceed();
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
