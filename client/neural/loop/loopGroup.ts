// The meeting point of a loop's members: reports are made by all or by none, and who returns while others go on is named.

import { z } from 'zod';
import type { Collective, CollectiveOptions } from '../../../shared/collective/collective.ts';
import { PeerMessageError, readFromPeer } from '../../../shared/collective/peerMessage.ts';
import { LoopMisuseError } from './loopErrors.ts';

/** The metrics of a report, of which a control message takes no more. */
const MAX_ARRIVAL_BYTES = 4 * 1024 * 1024;

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
 * @returns whether most of them were told to end with this report: then all do, and no member alone ends it for the others;
 *   and rank 0's metrics, which count for all.
 * @throws LoopMisuseError when most came for something else than this member, PeerMessageError naming those who did when most
 *   came for the same; DeadlineError and PeerLostError naming who did
 *   not come.
 */
export async function meetAll(
  collective: Collective,
  own: Arrival,
  options: CollectiveOptions,
): Promise<Pick<Arrival, 'isLast' | 'metrics'>> {
  const told = new TextEncoder().encode(JSON.stringify(own));
  const everyone = await collective.allGather(told, { ...options, maxBytes: MAX_ARRIVAL_BYTES });
  const arrivals = everyone.map((bytes, rank) => readFromPeer(collective, rank, () => readArrival(bytes)));
  const isWith = (one: Arrival, other: Arrival): boolean =>
    one.doing === other.doing && one.reports === other.reports;
  const odd = arrivals.flatMap((other, rank) => (isWith(other, own) ? [] : [rank]));
  if (odd.length === 0) {
    const ending = arrivals.filter(({ isLast }) => isLast).length;
    return { isLast: 2 * ending > arrivals.length, metrics: arrivals[0]!.metrics };
  }
  const [other] = odd;
  const what =
    `rank ${collective.rank} ${describe(own)}, rank ${other} ${describe(arrivals[other!]!)}; ` +
    'every member must report equally often and then return';
  // Where most others are elsewhere it is this member's loop that went astray; else what others say is an error of theirs alone.
  if (2 * odd.length > arrivals.length) throw new LoopMisuseError(what);
  throw new PeerMessageError(
    what,
    odd.map((rank) => collective.members[rank]!),
  );
}

function readArrival(bytes: Uint8Array): Arrival {
  return arrival.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

function describe({ doing, reports }: Arrival): string {
  return doing === 'return' ? `has returned after report ${reports}` : `makes report ${reports + 1}`;
}
