// After a restart of the coordinator a run waits a moment until its group is back: its members worked on meanwhile and
// know rounds that the record lacks, and the first to return can't speak for all.

import type { Clock } from '../../../shared/clock.ts';
import type { Pool } from '../pool/pool.ts';

export interface AwaitMembersOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly runId: string;
  readonly workerIds: readonly string[];
  readonly timeoutMs: number;
}

/** Claims the workers for the run as they return, and calls back once: when all are there, or when the time is over. */
export function awaitMembers(
  { pool, clock, runId, workerIds, timeoutMs }: AwaitMembersOptions,
  done: () => void,
): () => void {
  const wanted = new Set(workerIds);
  const isBack = (workerId: string): boolean => {
    const worker = pool.worker(workerId);
    return worker?.present === true && worker.peerId !== undefined;
  };
  const finish = (): void => {
    cancel();
    done();
  };
  const look = (): void => {
    if (workerIds.every(isBack)) finish();
  };
  const unsubscribe = pool.on((event) => {
    if (event.type !== 'changed' || !wanted.has(event.worker.workerId)) return;
    // A claim is a change too, and comes back here.
    if (event.worker.runId === undefined) pool.claim(event.worker.workerId, runId);
    else look();
  });
  const cancelTimer = clock.after(timeoutMs, finish);
  const cancel = (): void => {
    unsubscribe();
    cancelTimer();
  };
  return cancel;
}
