// Two members of whom each says that it is the other: one has to go, without proof. It is the one that had to do so with more
// others; of equals the one that has worked less in this run, then the newer one. So who turns against one after the other
// goes itself at the second, and new names, which cost nothing, do not outweigh one that has worked.

import { recordedRounds } from './runState.ts';
import type { RunState } from './runState.ts';
import type { Turn } from './turn.ts';
import type { Accusation } from './waits.ts';

/** Who has worked for this part of the rounds counts against others. */
const ESTABLISHED_PART = 0.1;

/** That are remembered of one: far more than make it go. */
const MOST_OPPONENTS = 64;

export interface Suspect {
  readonly workerId: string;
  /** The only one to accuse it, or whom alone it accused. */
  readonly accuser?: string;
}

/** Notes who has accused whom, and chooses who has to go. */
export function pickOfQuarrel(turn: Turn, accusations: readonly Accusation[]): Suspect | undefined {
  const suspects = new Map(turn.state.suspects);
  const note = (one: string, other: string): void => {
    // Noted last, it is forgotten last.
    const others = [...(suspects.get(one) ?? [])].filter((id) => id !== other);
    suspects.delete(one);
    suspects.set(one, new Set([...others, other].slice(-MOST_OPPONENTS)));
  };
  for (const [accuser, accused] of accusations) {
    note(accused, accuser);
    note(accuser, accused);
  }
  turn.set({ suspects });
  const inQuarrel = new Set(accusations.flat());
  const opponents = new Map([...inQuarrel].map((id) => [id, opponentsOf(turn.state, id)]));
  const [suspect] = byTrust(turn)
    .filter((workerId) => inQuarrel.has(workerId))
    .sort((a, b) => opponents.get(b)! - opponents.get(a)!);
  if (suspect === undefined) return undefined;
  const quarrel = accusations.find((pair) => pair.includes(suspect));
  const accuser = quarrel?.find((id) => id !== suspect);
  return { workerId: suspect, ...(accuser !== undefined && { accuser }) };
}

/** Members, the one first that would be missed least: strangers, of those that has worked least, then the newest. */
export function byTrust({ state }: Turn): string[] {
  const worked = (workerId: string): number => state.worked.get(workerId) ?? 0;
  return [...state.members]
    .sort(
      (a, b) =>
        Number(a.isOwners) - Number(b.isOwners) || worked(a.workerId) - worked(b.workerId) || b.rank - a.rank,
    )
    .map(({ workerId }) => workerId);
}

/** Workers that had a quarrel with this one and are still there. Those that have hardly worked count by the groupful. */
function opponentsOf({ suspects, workers, worked, groupSize, record }: RunState, workerId: string): number {
  const present = [...(suspects.get(workerId) ?? [])].filter((id) => workers.has(id));
  const enough = Math.max(1, ESTABLISHED_PART * recordedRounds({ record }));
  const own = worked.get(workerId) ?? 0;
  // Before the first round all are equal.
  const established = present.filter((id) => (worked.get(id) ?? 0) >= Math.min(enough, own)).length;
  return established + Math.floor((present.length - established) / Math.max(1, groupSize));
}
