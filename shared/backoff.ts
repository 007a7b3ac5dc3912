// How long to wait before the next attempt: twice as long after each failure, up to a longest wait. Who waits has the
// clock (shared/clock.ts).

export interface Backoff {
  /** Before the second attempt. */
  readonly firstMs: number;
  readonly maxMs: number;
}

/** @param retry 0 before the second attempt, 1 before the third, and so on; what is below 0 counts as 0. */
export function backoffMs(retry: number, { firstMs, maxMs }: Backoff): number {
  return Math.min(maxMs, firstMs * 2 ** Math.max(0, Math.min(retry, 40)));
}

/** The same with full jitter, between half and all of it: many that lost one server shall not come back at once. */
export function jitteredMs(retry: number, backoff: Backoff, random: () => number): number {
  return backoffMs(retry, backoff) * (0.5 + random() / 2);
}
