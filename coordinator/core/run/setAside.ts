// Members that leave a generation against their will, and workers that are not to be used.

import { countWait } from './caution.ts';
import { noFruitless } from './conduct.ts';
import type { SetAside } from './conduct.ts';
import type { Turn } from './turn.ts';

/** A member is no part of this generation any more. The caller halts the generation. */
export function dropMember(turn: Turn, workerId: string, reason: string): void {
  const member = turn.member(workerId);
  if (!member) return;
  countWait(turn, workerId);
  turn.set({
    members: turn.state.members.filter((one) => one.workerId !== workerId),
    // What it knew may be lost with it: no member is blamed for that.
    fruitless: noFruitless,
  });
  turn.command({ type: 'unclaim', workerId });
  turn.emit({ type: 'workerLost', workerId, reason, shards: member.leases.length });
}

/** Not to be used, member or not. The caller halts the generation. */
export function setAside(turn: Turn, workerId: string, entry: SetAside): void {
  turn.set({ setAside: new Map([...turn.state.setAside, [workerId, entry]]) });
  dropMember(turn, workerId, entry.reason);
  if (entry.until !== 'heard') turn.release(workerId, entry.reason);
  liftAccusationsOf(turn, workerId);
}

/** A member's own messages prove that its work can not be used. */
export function expel(turn: Turn, workerId: string, reason: string): void {
  if (turn.state.setAside.get(workerId)?.until === 'never') return;
  turn.log('warn', `Worker ${workerId} is set aside for good: ${reason}`);
  setAside(turn, workerId, { reason, until: 'never' });
}

/** A worker that was set aside on the word of this one alone may have been the honest one of the two. */
export function liftAccusationsOf(turn: Turn, accuser: string): void {
  lift(turn, (entry) => entry.accuser === accuser);
}

/** A worker that was set aside without proof may have been honest. */
export function liftForgiven(turn: Turn): void {
  lift(turn, (entry) => entry.until !== 'never');
}

/** @returns whether any was. */
export function lift(turn: Turn, isLifted: (entry: SetAside, workerId: string) => boolean): boolean {
  const kept = [...turn.state.setAside].filter(([workerId, entry]) => !isLifted(entry, workerId));
  if (kept.length === turn.state.setAside.size) return false;
  turn.set({ setAside: new Map(kept) });
  return true;
}
