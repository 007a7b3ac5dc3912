// What progress can be made of: the events of a run, and what comes before it.

import type { RunEvent } from '../core/run/runRequest.ts';

/** What happens in a run, from the preparation of its data on; `type` tells the events apart. */
export type ProgressEvent =
  | RunEvent
  /** Rows read, cut into bins and stored so far. */
  | { readonly type: 'preparing'; readonly rows: number; readonly rowsTotal?: number }
  /** How many steps a net will have been trained, once that is known from its rows. */
  | { readonly type: 'planned'; readonly steps: number; readonly stepsPerEpoch: number };

/** The same as one plain JSON value, without the trees, which are large and in the checkpoint anyway. */
export function eventJson(event: ProgressEvent): Record<string, unknown> {
  if (event.type !== 'round') return { ...event };
  const { round, metrics } = event.committed;
  return { type: 'round', round, metrics, timings: event.timings };
}
