// Few numbers added up over the members by each of them alone, from what all of them got of each: where one adds up for the
// others, it can give each of them another sum.

import type { Collective, CollectiveOptions } from '../../shared/collective/collective.ts';
import { readFromPeer } from '../../shared/collective/peerMessage.ts';

/**
 * @returns the sums over all members, added in rank order: the same bits at all of them.
 * @throws PeerMessageError naming who sent another number of values; what the collective throws.
 */
export async function gatherSum(
  values: Float64Array,
  collective: Collective,
  options: CollectiveOptions,
): Promise<Float64Array> {
  const own = new Uint8Array(values.slice().buffer);
  const gathered = await collective.allGather(own, { ...options, maxBytes: own.byteLength });
  const sums = new Float64Array(values.length);
  for (const [rank, bytes] of gathered.entries()) {
    const told = readFromPeer(collective, rank, () => readNumbers(bytes, values.length));
    for (let at = 0; at < sums.length; at += 1) sums[at]! += told[at]!;
  }
  return sums;
}

function readNumbers(bytes: Uint8Array, length: number): Float64Array {
  if (bytes.length !== 8 * length)
    throw new RangeError(`${bytes.length} bytes are no ${length} numbers; expected ${8 * length}`);
  return new Float64Array(bytes.slice().buffer);
}
