// What happened in a pool since its start.

export interface PoolCounters {
  messagesReceived: number;
  malformedMessages: number;
  refusedWorkers: number;
  reconnects: number;
  lostWorkers: number;
}

export function newCounters(): PoolCounters {
  return { messagesReceived: 0, malformedMessages: 0, refusedWorkers: 0, reconnects: 0, lostWorkers: 0 };
}
