// Generations that end without a round again and again though all members answer: somebody has to go. What one member says
// of another is no proof, so that one counts as much against whoever says it.

import { endRun, forgive, names } from './ending.ts';
import { enoughWithout } from './formation.ts';
import { setAsideLate, WORK_PER_WAIT } from './lateness.ts';
import { RunStuckError } from './runErrors.ts';
import { noFruitless, recordedRounds } from './runState.ts';
import type { Member } from './runState.ts';
import { liftForgiven, setAside } from './setAside.ts';
import type { Turn } from './turn.ts';

/** Fruitless generations in a row before a member is set aside. */
const PATIENCE_GENERATIONS = 3;
/** What the coordinator saw itself. */
export const COORDINATOR = '';

/** Notes that the group can not go on because of these workers. @param accuser a worker, or the coordinator itself. */
export function accuse(turn: Turn, accuser: string, workerIds: readonly string[], message: string): void {
  const { fruitless } = turn.state;
  const accusers = new Map(fruitless.accusers);
  for (const workerId of workerIds)
    accusers.set(workerId, new Set([...(accusers.get(workerId) ?? []), accuser]));
  turn.set({ fruitless: { ...fruitless, accusers, message } });
}

/**
 * A member was waiting for these when the group was halted. Only after a standstill that says who holds it up: otherwise
 * those are missing, too, who are in the middle of their work, or were told to stop.
 */
export function hearWaiting(turn: Turn, workerId: string, missing: readonly string[]): void {
  if (turn.state.halt?.isStandstill !== true) return;
  const others = missing.filter((id) => id !== workerId && turn.member(id));
  const { message } = turn.state.fruitless;
  if (others.length > 0)
    accuse(turn, workerId, others, message === '' ? `${workerId} waited for ${others.join(', ')}` : message);
}

/** Sets one of a group aside that is stuck; without enough others the run fails, unless it got something done. */
export function judgeStall(turn: Turn): void {
  const { state, plan, atMs } = turn;
  if (state.members.length === 0) return turn.set({ fruitless: noFruitless });
  const culprit = accusedByMost(turn);
  if (culprit !== undefined && enoughWithout(turn, [culprit])) {
    turn.set({ fruitless: noFruitless });
    return setAsideLate(turn, culprit, 'most others waited for it in vain', { isProven: true });
  }
  // Where not every round is recorded, a member that told of one is proof enough.
  const hasWorked = !plan.kind.recordsEveryRound && state.members.some((member) => member.hasWorked);
  const hasRounds = hasWorked || recordedRounds(state) > state.recordAtFormation;
  const isEnough = state.members.some(({ workerId }) => enoughWithout(turn, [workerId]));
  if (hasRounds && (!isEnough || wasWorth(turn))) return turn.set({ fruitless: noFruitless });
  const { fruitless } = state;
  const generations = fruitless.generations + 1;
  turn.set({ fruitless: { ...fruitless, generations } });
  if (generations < PATIENCE_GENERATIONS) return;
  const suspect = mostSuspect(turn);
  turn.set({ fruitless: noFruitless });
  if (!suspect) return;
  const { workerId, accuser } = suspect;
  const what = `${generations} generations in a row ended without a round; the last message was: ${fruitless.message}`;
  if (enoughWithout(turn, [workerId])) {
    return setAside(turn, workerId, {
      reason: what,
      until: 'forgiven',
      ...(accuser !== undefined && { accuser }),
    });
  }
  const error = new RunStuckError(`The group of ${names(state.members)} is stuck: ${what}`, {
    peer: workerId,
  });
  if (!forgive(turn)) return endRun(turn, error);
  // Whoever was set aside before may have been the wrong one.
  liftForgiven(turn);
  turn.log(
    'warn',
    `${error.message}. Trying again in ${Math.round(turn.state.formAtMs - atMs)} ms (${plan.runId}).`,
  );
}

/** Whether the generation worked for longer than the others had to wait at its end, by far. */
function wasWorth({ state, atMs }: Turn): boolean {
  const { begunAtMs = state.formedAtMs, progressAtMs } = state;
  return progressAtMs - begunAtMs >= WORK_PER_WAIT * (atMs - progressAtMs);
}

/** The member for whom most of the group waited. */
function accusedByMost({ state }: Turn): string | undefined {
  const { members, fruitless } = state;
  const here = new Set(members.map(({ workerId }) => workerId));
  const accusers = (workerId: string): number =>
    [...(fruitless.accusers.get(workerId) ?? [])].filter((id) => id !== workerId && here.has(id)).length;
  const [most, next] = members
    .map(({ workerId }) => ({ workerId, count: accusers(workerId) }))
    .sort((a, b) => b.count - a.count);
  const isClear = most !== undefined && 2 * most.count > members.length && most.count > (next?.count ?? 0);
  return isClear ? most.workerId : undefined;
}

interface Suspect {
  readonly workerId: string;
  /** The only one to accuse it, or whom alone it accused. */
  readonly accuser?: string;
}

/**
 * Whom several accuse, or itself, or the coordinator, goes first. Without one, two who have only each other's word against
 * them: the one who had more such quarrels, of equal ones the newest, which is likelier the one that does not fit in.
 */
function mostSuspect(turn: Turn): Suspect | undefined {
  const { members, fruitless } = turn.state;
  const accusersOf = ({ workerId }: Member): ReadonlySet<string> =>
    fruitless.accusers.get(workerId) ?? new Set();
  const isProven = (member: Member): boolean => {
    const accusers = accusersOf(member);
    return accusers.size > 1 || accusers.has(COORDINATOR) || accusers.has(member.workerId);
  };
  const proven = members
    .filter(isProven)
    .sort((a, b) => accusersOf(b).size - accusersOf(a).size || b.rank - a.rank)[0];
  if (proven) return { workerId: proven.workerId };
  const quarrels = members.flatMap((member) =>
    [...accusersOf(member)].filter((id) => turn.member(id)).map((id) => [member.workerId, id] as const),
  );
  if (quarrels.length === 0) {
    const newest = [...members].sort((a, b) => b.rank - a.rank)[0];
    return newest && { workerId: newest.workerId };
  }
  return pickOfQuarrel(turn, quarrels);
}

/** Which of two, or of several pairs, has to go: the one with more quarrels in this run, of equal ones the newest. */
export function pickOfQuarrel(
  turn: Turn,
  quarrels: readonly (readonly [string, string])[],
): Suspect | undefined {
  const suspects = new Map([...turn.state.suspects].map(([id, others]) => [id, new Set(others)]));
  const note = (one: string, other: string): void =>
    void suspects.set(one, (suspects.get(one) ?? new Set()).add(other));
  for (const [accused, accuser] of quarrels) {
    note(accused, accuser);
    note(accuser, accused);
  }
  turn.set({ suspects });
  const inQuarrel = new Set(quarrels.flat());
  const [suspect] = turn.state.members
    .filter(({ workerId }) => inQuarrel.has(workerId))
    .sort((a, b) => suspects.get(b.workerId)!.size - suspects.get(a.workerId)!.size || b.rank - a.rank);
  if (!suspect) return undefined;
  const { workerId } = suspect;
  const quarrel = quarrels.find((pair) => pair.includes(workerId));
  const accuser = quarrel?.find((id) => id !== workerId);
  return { workerId, ...(accuser !== undefined && { accuser }) };
}
