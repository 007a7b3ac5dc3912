// What a pool counts, for the status page and Prometheus.

export interface PoolCounters {
  messagesReceived: number;
  malformedMessages: number;
  refusedWorkers: number;
  reconnects: number;
  lostWorkers: number;
}

export function noCounts(): PoolCounters {
  return { messagesReceived: 0, malformedMessages: 0, refusedWorkers: 0, reconnects: 0, lostWorkers: 0 };
}
