// Groups that did not begin: members that were not ready in time, and newcomers with whom a group that worked before does not.

import { accusationsOf } from './accusations.ts';
import { isOften } from './disturbances.ts';
import { enoughWithout } from './formation.ts';
import { setAsideDoubtful, setAsideLate } from './lateness.ts';
import { idleUntilMs, readyUntilMs } from './loadingPatience.ts';
import { overdue } from './patience.ts';
import { byTrust, pickOfQuarrel } from './quarrels.ts';
import type { Member } from './runState.ts';
import type { Turn } from './turn.ts';
import type { Accusation } from './waits.ts';

/**
 * Members that were not ready long after most others: one that waits for no other has no excuse; one that says that it has no
 * link to another has a quarrel with that one, which says that it is ready. @returns whether one was set aside.
 */
export function judgeUnready(turn: Turn): boolean {
  const { plan, state } = turn;
  const { halt, waits, begunAtMs, formedAtMs } = state;
  if (begunAtMs !== undefined || halt?.isStandstill !== true) return false;
  const answered = ({ workerId }: Member): boolean => waits.has(workerId);
  const late = overdue(readyUntilMs(plan, state), halt.askedAtMs).filter(answered);
  const isProven = late.length > 0;
  const judged = isProven ? late : overdue(idleUntilMs(plan, state), halt.askedAtMs).filter(answered);
  const idle = judged.map(({ workerId }) => workerId).filter((id) => waits.get(id)?.length === 0);
  if (idle.length > 0 && enoughWithout(turn, idle)) {
    const waitedMs = Math.round(halt.askedAtMs - formedAtMs);
    const reason = `was not ready ${waitedMs} ms after it got its place, and waited for nobody`;
    for (const workerId of idle) setAsideLate(turn, workerId, reason, { isProven });
    return true;
  }
  const accusations = late.flatMap(({ workerId }) =>
    (waits.get(workerId) ?? []).filter((id) => turn.member(id)).map((id): Accusation => [workerId, id]),
  );
  const what = 'it has no link to a member that says it is ready, or the other way round';
  return settle(turn, accusations, what);
}

/**
 * A group that did not begin, with members that it did not have before: these go first, of those who have something to do
 * with it. @returns whether one was set aside.
 */
export function judgeNewcomers(turn: Turn): boolean {
  const { begunAtMs, halt, fruitless } = turn.state;
  if (begunAtMs !== undefined) return false;
  const accusations = accusationsOf(turn);
  if (judgeHasty(turn, accusations)) return true;
  const involved = new Set(accusations.flat());
  const isNew = (id: string): boolean => turn.member(id)?.isNew === true;
  const newest = byTrust(turn).find((id) => involved.has(id) && isNew(id));
  const what = `the group did not begin; the last message was: ${fruitless.message}`;
  if (newest === undefined) return halt?.isStandstill === true && settle(turn, accusations, what);
  const ofNewest = accusations.filter((pair) => pair.includes(newest));
  // Noted for the next time, for any member.
  pickOfQuarrel(turn, ofNewest);
  if (!enoughWithout(turn, [newest])) return false;
  setAsideDoubtful(
    turn,
    newest,
    what,
    ofNewest.flat().find((id) => id !== newest),
  );
  return true;
}

/** One that says so of one after the other, at once, keeps all newcomers out. */
function judgeHasty(turn: Turn, accusations: readonly Accusation[]): boolean {
  if (turn.state.halt?.isStandstill === true) return false;
  const accusers = [...new Set(accusations.map(([accuser]) => accuser))];
  const hasty = accusers.filter((id) => isOften(turn, id)).find((id) => enoughWithout(turn, [id]));
  if (hasty === undefined) return false;
  setAsideDoubtful(turn, hasty, 'stopped groups before they began, again and again, because of others');
  return true;
}

function settle(turn: Turn, accusations: readonly Accusation[], what: string): boolean {
  const suspect = pickOfQuarrel(turn, accusations);
  if (!suspect || !enoughWithout(turn, [suspect.workerId])) return false;
  setAsideDoubtful(turn, suspect.workerId, what, suspect.accuser);
  return true;
}
