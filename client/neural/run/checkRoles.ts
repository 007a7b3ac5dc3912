// Who does whose work again in a check: everybody does that of one other member, and adds up the part of one other.

export interface CheckRoles {
  /** The rank whose contribution a rank computes again. */
  auditedBy(rank: number): number;
  /** The rank that computes this rank's contribution again. */
  auditorOf(rank: number): number;
  /** The part that a rank adds up again. */
  partOf(rank: number): number;
  /** The rank that adds this part up again. */
  adderOf(part: number): number;
}

/** The same at all members. @param size of the group, from 2. */
export function checkRoles(seed: number, size: number): CheckRoles {
  const audit = 1 + (seed % (size - 1));
  const add = 1 + (Math.floor(seed / 65_536) % (size - 1));
  return {
    auditedBy: (rank) => (rank + audit) % size,
    auditorOf: (rank) => (rank - audit + size) % size,
    partOf: (rank) => (rank + add) % size,
    adderOf: (part) => (part - add + size) % size,
  };
}
