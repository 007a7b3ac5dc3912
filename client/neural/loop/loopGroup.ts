// The meeting point of a loop's members: reports are made by all or by none, and who returns while others go on is named.

import { z } from 'zod';
import type { Collective, CollectiveOptions } from '../../../shared/collective/collective.ts';
import { LoopMisuseError } from './loopErrors.ts';

/** What a member has come for. */
const arrival = z.object({
  doing: z.enum(['report', 'return']),
  /** Those that the member has behind it. */
  reports: z.number().int().nonnegative(),
  /** The member was told to end with this report. */
  isLast: z.boolean(),
  metrics: z.record(z.string().max(128), z.number()),
});
type Arrival = z.infer<typeof arrival>;

/**
 * Waits for all members to come for the same.
 * @returns whether any of them ends with this report: then all do; and rank 0's metrics, which count for all.
 * @throws LoopMisuseError naming the rank that came for something else; DeadlineError and PeerLostError naming who did
 *   not come.
 */
export async function meetAll(
  collective: Collective,
  own: Arrival,
  options: CollectiveOptions,
): Promise<Pick<Arrival, 'isLast' | 'metrics'>> {
  const told = new TextEncoder().encode(JSON.stringify(own));
  const everyone = await collective.allGather(told, options);
  const arrivals = everyone.map((bytes, rank) => readArrival(bytes, rank));
  const first = arrivals[0]!;
  const odd = arrivals.findIndex((other) => other.doing !== first.doing || other.reports !== first.reports);
  if (odd === -1) return { isLast: arrivals.some(({ isLast }) => isLast), metrics: first.metrics };
  throw new LoopMisuseError(
    `rank 0 ${describe(first)}, rank ${odd} ${describe(arrivals[odd]!)}; ` +
      'every member must report equally often and then return',
  );
}

function readArrival(bytes: Uint8Array, rank: number): Arrival {
  try {
    return arrival.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new LoopMisuseError(`rank ${rank} was not where the others reported`, {}, { cause });
  }
}

function describe({ doing, reports }: Arrival): string {
  return doing === 'return' ? `has returned after report ${reports}` : `makes report ${reports + 1}`;
}
