// Which shards of other members each member keeps ready, so that a lost one's rows are where they are needed at once: for each
// shard one other member has it too. A pure function, like the plan of leases.

import type { Lease } from '../../../shared/protocol/control.ts';
import { leaseKey } from './leasePlan.ts';

/** Most that a member keeps of others': what it must load besides its own rows stays small beside a run of any size. */
const MAX_SPARE_BYTES = 64 * 1024 * 1024;
/** Members by rank after the owner of a shard that are asked to keep it: plans of large groups would take long otherwise. */
const MOST_KEEPERS = 32;

/**
 * Shares out the shards of each member evenly among the others, whose shares of the next plan they would be.
 * @param leases of each member, by rank.
 * @param holds what each member has loaded so far: of others that are as good, it keeps that.
 * @returns what each member keeps ready, by rank; nothing of its own. Shards above every member's bound have no spare.
 */
export function planSpares(
  leases: readonly (readonly Lease[])[],
  holds: readonly (readonly Lease[])[] = [],
  maxBytes: number = MAX_SPARE_BYTES,
): Lease[][] {
  const spares: Lease[][] = leases.map(() => []);
  const bytes = leases.map(() => 0);
  const held = leases.map((_, rank) => new Set((holds[rank] ?? []).map(leaseKey)));
  for (const [owner, owned] of leases.entries()) {
    /** Shards of this owner that each of the others has. */
    const shares = leases.map(() => 0);
    const keepers = Array.from(
      { length: Math.min(MOST_KEEPERS, leases.length - 1) },
      (_, i) => (owner + 1 + i) % leases.length,
    );
    const even = Math.ceil(owned.length / Math.max(1, keepers.length));
    for (const lease of owned) {
      const key = leaseKey(lease);
      /** Least first: more than its part, not loaded yet, and so on. */
      const cost = (rank: number): number[] => [
        Math.max(0, shares[rank]! + 1 - even),
        held[rank]!.has(key) ? 0 : 1,
        shares[rank]!,
        spares[rank]!.length,
      ];
      const [keeper] = keepers
        .filter((rank) => bytes[rank]! + lease.sizeBytes <= maxBytes)
        .sort((a, b) => compare(cost(a), cost(b)));
      if (keeper === undefined) continue;
      spares[keeper]!.push(lease);
      bytes[keeper]! += lease.sizeBytes;
      shares[keeper]! += 1;
    }
  }
  return spares;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}
