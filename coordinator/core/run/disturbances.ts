// Workers that stop the group again and again by what they do themselves: new sockets, new addresses, leaving and coming back,
// giving up without a reason. Each may have a cause, now and then; one that does it several times within minutes is left alone
// for longer and longer.

import { countWait } from './caution.ts';
import type { Disturbance } from './conduct.ts';
import { enoughWithout } from './formation.ts';
import { setAsideDoubtful } from './lateness.ts';
import type { Turn } from './turn.ts';

/** A disturbance is forgotten after so long. */
const FADES_AFTER_MS = 60_000;
/** So many may come one upon the other. */
const MOST_AT_ONCE = 2;

/** Counts something that stopped the group. @param key a worker, or who else it is about. @returns whether it happens often. */
export function isOften(turn: Turn, key: string): boolean {
  const { state, atMs } = turn;
  const levels = fade(state.disturbances, atMs);
  const level = (levels.get(key)?.level ?? 0) + 1;
  turn.set({ disturbances: levels.set(key, { level, atMs }) });
  return level > MOST_AT_ONCE;
}

/** Notes that a member stops the group by itself. @returns whether it was set aside; the caller halts the group. */
export function disturb(turn: Turn, workerId: string, what: string): boolean {
  countWait(turn, workerId);
  if (!isOften(turn, workerId) || !enoughWithout(turn, [workerId])) return false;
  setAsideDoubtful(turn, workerId, `stopped the group again and again (the last time: ${what})`);
  return true;
}

/** Those of which anything is left. */
function fade(disturbances: ReadonlyMap<string, Disturbance>, atMs: number): Map<string, Disturbance> {
  const left = [...disturbances].map(([workerId, one]) => {
    const level = Math.max(0, one.level - (atMs - one.atMs) / FADES_AFTER_MS);
    return [workerId, { level, atMs }] as const;
  });
  return new Map(left.filter(([, { level }]) => level > 0));
}
