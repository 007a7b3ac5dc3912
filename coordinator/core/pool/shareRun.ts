import type { Pool } from './pool.ts';

/** Whether two workers are in the group of one run: only those have anything to say to each other. */
export function shareRun(pool: Pool, one: string, other: string): boolean {
  const runId = pool.worker(one)?.runId;
  return runId !== undefined && one !== other && pool.worker(other)?.runId === runId;
}
