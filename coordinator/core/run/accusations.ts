// What is said of who holds a group up: by the coordinator, which saw it itself, and by members, whose word is no proof.

import type { Turn } from './turn.ts';
import { MOST_NAMED } from './waits.ts';
import type { Accusation } from './waits.ts';

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

/** Members for whom this one was waiting when the group was halted. Only after a standstill that says who holds it up. */
export function hearWaiting(turn: Turn, workerId: string, missing: readonly string[]): void {
  const { halt, waits, group } = turn.state;
  if (halt?.isStandstill !== true) return;
  // Who has gone meanwhile counts too: it may be the one.
  const named = [...new Set(missing)].filter((id) => id !== workerId && group.has(id)).slice(0, MOST_NAMED);
  turn.set({ waits: new Map([...waits, [workerId, named]]) });
}

/** Notes what follows from the waits, where no member is judged for it yet. */
export function noteWaits(turn: Turn, accusations: readonly Accusation[]): void {
  for (const [accuser, accused] of accusations) {
    const { message } = turn.state.fruitless;
    const who = accuser === COORDINATOR ? 'the others' : accuser;
    accuse(turn, accuser, [accused], message === '' ? `${who} waited for ${accused}` : message);
  }
}

/** What members that are here said of others that are. */
export function accusationsOf(turn: Turn): Accusation[] {
  return [...turn.state.fruitless.accusers].flatMap(([accused, accusers]) =>
    turn.member(accused)
      ? [...accusers]
          .filter((id) => id !== accused && turn.member(id))
          .map((accuser): Accusation => [accuser, accused])
      : [],
  );
}
