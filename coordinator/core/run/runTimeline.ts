// What happened in a run between its rounds: the last events of it.

import { setImmediate } from 'node:timers/promises';
import type { TimelineAnswer, ToldEvent } from '../../../shared/api/runHistory.ts';
import type { RunArchive } from './runArchive.ts';

const PAGE = 500;
const MAX_EVENTS = 2_000;

/** @param mostEvents that are told; older ones are counted. */
export async function readTimeline(
  archive: Pick<RunArchive, 'otherEvents'>,
  runId: string,
  mostEvents = MAX_EVENTS,
): Promise<TimelineAnswer> {
  let events: ToldEvent[] = [];
  let leftOut = 0;
  for (let after = 0; ;) {
    const page = await archive.otherEvents(runId, after, PAGE);
    for (const { sequence, event, atMs } of page) {
      events.push({ sequence, atMs: atMs ?? null, event: event as ToldEvent['event'] });
    }
    leftOut += Math.max(0, events.length - mostEvents);
    events = events.slice(-mostEvents);
    if (page.length < PAGE) return { events, leftOut };
    after = page.at(-1)?.sequence ?? after;
    // Others are served between the pages: the embedded database answers without an event turn.
    await setImmediate();
  }
}
