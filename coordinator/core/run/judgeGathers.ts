// Who sent the members of a group different things, or says so without its being true: from the digests that each of them has of
// what all sent. In a gather every member gets the same of each, so that digests which differ are somebody's lie.

import { DIGEST_CHARACTERS, type HeardGathers } from '../../../shared/protocol/control.ts';

export interface GatherJudgement {
  /** Where these were honest, half of the group or more would lie. */
  readonly liars: ReadonlySet<string>;
  /** One of these two lies: the member that heard something else than most, or the one that it heard it from. Which one is unknown. */
  readonly quarrels: readonly (readonly [listener: string, sender: string])[];
  /** Heard something else than most of some other member, as they say, after a gather of which most who answered tell. */
  readonly misled: ReadonlySet<string>;
}

/**
 * Assumes that more than half of the group is honest: all of those tell the same digest of an honest sender, which is the one that
 * it tells itself.
 * @param heard by worker; of members that did not answer nothing is known.
 * @param places worker ids of the group by rank.
 * @param owners those of the owner, which are believed.
 */
export function judgeGathers(
  heard: ReadonlyMap<string, readonly HeardGathers[]>,
  places: readonly string[],
  owners: ReadonlySet<string> = new Set(),
): GatherJudgement {
  const liars = new Set<string>();
  const misled = new Set<string>();
  /** By listener, of whom it heard something else. */
  const accused = new Map<string, Set<string>>();
  const accuse = (listener: string, sender: string): void =>
    void accused.set(listener, (accused.get(listener) ?? new Set()).add(sender));
  let isInStep = true;
  for (const rows of rowsByGather(heard)) {
    // After a lie honest members may be at different gathers.
    if (!isInStep) break;
    // Honest members share a gather. Of one that half of them or fewer tell of, all who tell may be in league.
    const isOfMost = 2 * rows.size > heard.size;
    places.forEach((sender, rank) => {
      const told = new Map([...rows].map(([workerId, row]) => [workerId, digestOf(row, rank)]));
      const own = told.get(sender);
      const believed = owners.has(sender) ? own : [...told].find(([id]) => owners.has(id))?.[1];
      const right = believed ?? own ?? mostCommon([...told.values()]);
      const others = [...told.keys()].filter((id) => id !== sender);
      const against = others.filter((id) => told.get(id) !== right);
      if (isOfMost) for (const id of against) misled.add(id);
      if (against.length === 0 && (own === undefined || own === right)) return;
      if (right === undefined && !isOfMost) return;
      if (isOfMost) isInStep = false;
      if (believed !== undefined && owners.has(sender)) for (const id of against) liars.add(id);
      else if (own !== undefined && (own !== right || isHalf(against.length, places))) liars.add(sender);
      // One of them lies, or the sender, who does not tell what it sent.
      else for (const id of against) accuse(id, sender);
    });
  }
  // A member that heard something else from so many calls all of them liars.
  for (const [listener, senders] of accused) if (isHalf(senders.size, places)) liars.add(listener);
  const quarrels = [...accused].flatMap(([listener, senders]) =>
    [...senders].map((sender) => [listener, sender] as const),
  );
  return {
    liars,
    misled,
    quarrels: quarrels.filter((pair) => !pair.some((workerId) => liars.has(workerId))),
  };
}

/** What each member tells after one and the same gather, for each gather that several tell of, in order. */
function rowsByGather(heard: ReadonlyMap<string, readonly HeardGathers[]>): Map<string, string>[] {
  const rows = new Map<number, Map<string, string>>();
  for (const [workerId, several] of heard) {
    for (const { gathers, digests } of several)
      rows.set(gathers, (rows.get(gathers) ?? new Map<string, string>()).set(workerId, digests));
  }
  return [...rows]
    .sort(([a], [b]) => a - b)
    .map(([, row]) => row)
    .filter(({ size }) => size > 1);
}

function digestOf(row: string, rank: number): string {
  return row.slice(rank * DIGEST_CHARACTERS, (rank + 1) * DIGEST_CHARACTERS);
}

/** What more than half tell. */
function mostCommon(told: readonly string[]): string | undefined {
  return told.find((one) => 2 * told.filter((other) => other === one).length > told.length);
}

/** One against one is no majority: in a group of two the liar is unknown. */
function isHalf(count: number, places: readonly string[]): boolean {
  return count > 1 && 2 * count >= places.length;
}
