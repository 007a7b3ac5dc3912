// What happened in a run, in a line a thing.

import type { ReportedEvent } from '../../../shared/api/runAnswers.ts';
import { count } from '../words/statusWords.ts';

/** @returns undefined for what is no news: rounds are in the curve. */
export function eventWords(event: ReportedEvent): string | undefined {
  switch (event.type) {
    case 'waiting':
      return event.reason;
    case 'group': {
      const { workers } = event;
      const rows = workers.reduce((sum, worker) => sum + worker.rows, 0);
      return `Group ${event.generation}: ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}, ${count(rows)} rows.`;
    }
    case 'workerLost':
      return `${event.workerId} is gone: ${event.reason}.`;
    case 'workerJoined':
      return `${event.workerId} joined.`;
    case 'checkpoint':
      return `State kept after ${count(event.rounds)}.`;
    case 'undone':
      return `Back to ${count(event.rounds)}: ${event.reason}.`;
    case 'end':
      return event.error ? `${event.error.code}: ${event.error.message}` : `The run is ${event.status}.`;
    case 'loading':
    case 'round':
    case 'profiled':
      break;
  }
  return undefined;
}
