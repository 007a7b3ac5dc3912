// Events of a run as its own process would tell them.

import type { ReportedEvent } from '../../../shared/api/runAnswers.ts';
import type { RunEvent } from '../../core/run/runRequest.ts';

/** Rounds come without their payload; that are in the outcome. */
export function asRunEvent(event: Exclude<ReportedEvent, { type: 'end' }>): RunEvent {
  if (event.type !== 'round') return event;
  const { round, metrics, timings } = event;
  return { type: 'round', committed: { round, metrics, payload: [] }, timings };
}
