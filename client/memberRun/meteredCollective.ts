// Measures how long a member waits in collectives, so that a round's time splits into computing and exchanging.

import type { Collective } from '../../shared/collective/collective.ts';

export interface ExchangeMeter {
  /** Milliseconds spent in collectives since the last reset. */
  elapsedMs: number;
}

/** The same collective, its time added up in `meter`. */
export function meteredCollective(
  collective: Collective,
  meter: ExchangeMeter,
  now: () => number,
): Collective {
  const timed = async <T>(operation: Promise<T>): Promise<T> => {
    const start = now();
    try {
      return await operation;
    } finally {
      meter.elapsedMs += now() - start;
    }
  };
  return {
    rank: collective.rank,
    size: collective.size,
    members: collective.members,
    allReduce: (data, operation, options) => timed(collective.allReduce(data, operation, options)),
    reduceScatter: (data, bounds, operation, options) =>
      timed(collective.reduceScatter(data, bounds, operation, options)),
    allGather: (bytes, options) => timed(collective.allGather(bytes, options)),
    broadcast: (bytes, root, options) => timed(collective.broadcast(bytes, root, options)),
    exchange: (bytesByRank, options) => timed(collective.exchange(bytesByRank, options)),
    barrier: (options) => timed(collective.barrier(options)),
  };
}
