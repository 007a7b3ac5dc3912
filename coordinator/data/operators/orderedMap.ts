// Runs an asynchronous function over a stream with a bounded number of calls in flight, keeping the order.

/**
 * Pulls no more than `concurrency` items ahead of the consumer. The first failure ends the stream; calls in flight
 * are left to finish and their outcome is dropped.
 */
export async function* orderedMap<T, R>(
  input: AsyncIterable<T>,
  concurrency: number,
  call: (item: T, index: number) => Promise<R>,
): AsyncGenerator<R> {
  const iterator = input[Symbol.asyncIterator]();
  const inFlight: Promise<R>[] = [];
  let index = 0;
  let ended = false;
  try {
    for (;;) {
      while (!ended && inFlight.length < concurrency) {
        const next = await iterator.next();
        if (next.done === true) {
          ended = true;
          break;
        }
        const result = call(next.value, index++);
        // A later call may fail while an earlier one is awaited; it is reported when its turn comes.
        result.catch(() => undefined);
        inFlight.push(result);
      }
      const first = inFlight.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    await iterator.return?.();
  }
}
