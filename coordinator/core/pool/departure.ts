// What a closed socket says of its worker: gone for good, or expected back.

import { closeCodes } from './controlConnection.ts';
import type { PoolWorker } from './poolWorker.ts';

/** How long the place of a worker is kept whose socket was lost. */
const GRACE_MS = 20_000;

interface Closing {
  readonly code: number;
  /** What the other end said, if anything. */
  readonly reason: string;
  readonly graceMs: number | undefined;
}

interface Departure {
  readonly isGone: boolean;
  /** How long its place is kept. */
  readonly waitMs: number;
  /** Why it is lost, when it is. */
  readonly lossReason: string;
}

/** A page or process that ends says so; a lost line does not. */
export function departureOf(
  { leaving }: Pick<PoolWorker, 'leaving'>,
  { code, reason, graceMs = GRACE_MS }: Closing,
): Departure {
  const isClosed = code === closeCodes.goingAway;
  const words = reason || (isClosed ? 'its page or process was closed' : 'it said goodbye');
  if (isClosed || code === closeCodes.normal || code === closeCodes.policy) {
    return { isGone: true, waitMs: 0, lossReason: leaving ?? words };
  }
  return { isGone: false, waitMs: graceMs, lossReason: `did not come back within ${graceMs} ms` };
}
