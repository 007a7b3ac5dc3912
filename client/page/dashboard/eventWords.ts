// What happened in a run, in a line a thing.

import { count } from '../words/statusWords.ts';
import type { RunEventFacts } from './api.browser.ts';

/** @returns undefined for what is no news: rounds are in the curve. */
export function eventWords(event: RunEventFacts): string | undefined {
  switch (event.type) {
    case 'waiting':
      return event.reason ?? 'Waiting.';
    case 'group': {
      const workers = event.workers ?? [];
      const rows = workers.reduce((sum, worker) => sum + worker.rows, 0);
      return `Group ${event.generation ?? '?'}: ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}, ${count(rows)} rows.`;
    }
    case 'workerLost':
      return `${event.workerId ?? 'A worker'} is gone: ${event.reason ?? 'it left'}.`;
    case 'workerJoined':
      return `${event.workerId ?? 'A worker'} joined.`;
    case 'checkpoint':
      return `State kept after ${count(event.rounds ?? 0)}.`;
    case 'end':
      return event.error
        ? `${event.error.code}: ${event.error.message}`
        : `The run is ${event.status ?? 'over'}.`;
    default:
      return undefined;
  }
}
