// Generations that end without a round again and again though all members answer: somebody has to go. What one member says
// of another is no proof, so that one counts as much against the member that says it.

import { accusationsOf, COORDINATOR, noteWaits } from './accusations.ts';
import { WORK_PER_WAIT } from './caution.ts';
import { noFruitless } from './conduct.ts';
import { isOften } from './disturbances.ts';
import { endRun, forgive, names } from './ending.ts';
import { enoughWithout } from './formation.ts';
import { setAsideDoubtful, setAsideLate } from './lateness.ts';
import { roundPatienceMs } from './patience.ts';
import { byTrust, pickOfQuarrel } from './quarrels.ts';
import type { Suspect } from './quarrels.ts';
import { RunStuckError } from './runErrors.ts';
import { recordedRounds } from './runState.ts';
import { liftForgiven } from './setAside.ts';
import type { Turn } from './turn.ts';
import { judgeNewcomers, judgeUnready } from './unbegun.ts';
import { judgeWaits } from './waits.ts';

/** Fruitless generations in a row before a member is set aside. */
const PATIENCE_GENERATIONS = 3;

/** Sets one of a group aside that is stuck; without enough others the run fails, unless it got something done. */
export function judgeStall(turn: Turn): void {
  const { state } = turn;
  if (state.members.length === 0) return turn.set({ fruitless: noFruitless });
  if (judgeUnready(turn) || judgeStandstill(turn) || judgeNewcomers(turn))
    return turn.set({ fruitless: noFruitless });
  if (hasRounds(turn) && (!hasSpare(turn) || wasWorth(turn))) {
    judgeRepeated(turn);
    return turn.set({ fruitless: noFruitless });
  }
  const generations = turn.state.fruitless.generations + 1;
  turn.set({ fruitless: { ...turn.state.fruitless, generations } });
  if (generations >= PATIENCE_GENERATIONS) judgeFruitless(turn);
}

/** The group stood still, and its members said for whom they were waiting. @returns whether one was set aside. */
function judgeStandstill(turn: Turn): boolean {
  const { waits, halt, members, fruitless } = turn.state;
  if (halt?.isStandstill !== true || waits.size === 0) return false;
  const verdict = judgeWaits(
    members.map(({ workerId }) => workerId),
    waits,
  );
  if (verdict.type === 'culprit') {
    const { workerId, isProven } = verdict;
    if (!enoughWithout(turn, [workerId])) {
      noteWaits(turn, [[COORDINATOR, workerId]]);
      return false;
    }
    const what = 'most others waited for it in vain';
    if (isProven && isPatienceOver(turn)) setAsideLate(turn, workerId, what, { isProven });
    else setAsideDoubtful(turn, workerId, what);
    return true;
  }
  if (verdict.type === 'quarrel') {
    const suspect = pickOfQuarrel(turn, verdict.accusations);
    if (suspect && enoughWithout(turn, [suspect.workerId])) {
      setAsideDoubtful(turn, suspect.workerId, waitedInCircle(suspect), suspect.accuser);
      return true;
    }
  }
  // No member has sent anything to the coordinator before.
  if (fruitless.accusers.size === 0) noteWaits(turn, verdict.accusations);
  return false;
}

/** One member may end the wait before the coordinator would have: who is late then may be in the middle of its work. */
function isPatienceOver({ plan, state }: Turn): boolean {
  const { halt, begunAtMs, roundSinceMs, formedAtMs, members } = state;
  const sinceMs =
    begunAtMs === undefined
      ? Math.max(formedAtMs, ...members.map(({ progressAtMs }) => progressAtMs))
      : roundSinceMs;
  const patienceMs = begunAtMs === undefined ? plan.timing.readyMs : roundPatienceMs(plan, state);
  return (halt?.askedAtMs ?? 0) - sinceMs >= patienceMs;
}

function waitedInCircle({ accuser }: Suspect): string {
  return `it and ${accuser === undefined ? 'others' : `worker ${accuser}`} waited for each other, and all others for them`;
}

/** Members that have rounds between their quarrels, and quarrel again and again. */
function judgeRepeated(turn: Turn): void {
  const again = accusationsOf(turn).filter((pair) => isOften(turn, JSON.stringify([...pair].sort())));
  const suspect = pickOfQuarrel(turn, again);
  if (!suspect || !enoughWithout(turn, [suspect.workerId])) return;
  const what = `it stopped the group again and again, or was named; the last message was: ${turn.state.fruitless.message}`;
  setAsideDoubtful(turn, suspect.workerId, what, suspect.accuser);
}

/** Generation after generation ended without a round. */
function judgeFruitless(turn: Turn): void {
  const { state, plan, atMs } = turn;
  const { fruitless, members } = state;
  const suspect = mostSuspect(turn);
  turn.set({ fruitless: noFruitless });
  if (!suspect) return;
  const { workerId, accuser } = suspect;
  const what = `${fruitless.generations} generations in a row ended without a round; the last message was: ${fruitless.message}`;
  if (enoughWithout(turn, [workerId])) return setAsideDoubtful(turn, workerId, what, accuser);
  const error = new RunStuckError(`The group of ${names(members)} is stuck: ${what}`, { peer: workerId });
  if (!forgive(turn)) return endRun(turn, error);
  // A member that was set aside before may have been honest.
  liftForgiven(turn);
  turn.log(
    'warn',
    `${error.message}. Trying again in ${Math.round(turn.state.formAtMs - atMs)} ms (${plan.runId}).`,
  );
}

function hasRounds({ state, plan }: Turn): boolean {
  // Where not every round is recorded, a member that told of one is proof enough.
  const hasWorked = !plan.kind.recordsEveryRound && state.members.some((member) => member.hasWorked);
  return hasWorked || recordedRounds(state) > state.recordAtFormation;
}

/** Whether there would be enough without one of them. */
function hasSpare(turn: Turn): boolean {
  return turn.state.members.some(({ workerId }) => enoughWithout(turn, [workerId]));
}

/** Whether the generation worked for longer than it took to form it and the others had to wait at its end, by far. */
function wasWorth({ state, atMs }: Turn): boolean {
  const { formedAtMs, begunAtMs = formedAtMs, roundSinceMs } = state;
  const lostMs = begunAtMs - formedAtMs + (atMs - roundSinceMs);
  return roundSinceMs - begunAtMs >= WORK_PER_WAIT * lostMs;
}

/**
 * Whom most others accuse, or itself, or the coordinator, goes first. Without one, one of two who have only each other's word
 * against them; without these the one that would be missed least.
 */
function mostSuspect(turn: Turn): Suspect | undefined {
  const { members, fruitless } = turn.state;
  const isProven = (workerId: string): boolean => {
    const accusers = [...(fruitless.accusers.get(workerId) ?? [])];
    const others = accusers.filter((id) => id !== workerId && turn.member(id)).length;
    const byMost = others > 1 && 2 * others > members.length - 1;
    return byMost || accusers.includes(COORDINATOR) || accusers.includes(workerId);
  };
  const leastFirst = byTrust(turn);
  const proven = leastFirst
    .filter(isProven)
    .sort((a, b) => fruitless.accusers.get(b)!.size - fruitless.accusers.get(a)!.size)[0];
  if (proven !== undefined) return { workerId: proven };
  const accusations = accusationsOf(turn);
  if (accusations.length > 0) return pickOfQuarrel(turn, accusations);
  const [least] = leastFirst;
  return least === undefined ? undefined : { workerId: least };
}
