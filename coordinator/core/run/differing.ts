// Members that came to other results than most, once all have told what they heard of one another: who heard something else is
// not to blame for it, who heard the same is.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { DIGEST_CHARACTERS } from '../../../shared/protocol/control.ts';
import { enoughWithout } from './formation.ts';
import { judgeGathers } from './judgeGathers.ts';
import type { Member } from './runState.ts';
import { expel, setAside } from './setAside.ts';
import { pickOfQuarrel } from './quarrels.ts';
import type { Turn } from './turn.ts';

/** Members say otherwise than most: whether they heard something else is looked at when the halt is answered. */
export function noteDiffering(
  turn: Turn,
  workerIds: readonly string[],
  entry: { readonly round: number; readonly reason: string },
): void {
  const differing = new Map(turn.state.differing);
  for (const workerId of workerIds) if (!differing.has(workerId)) differing.set(workerId, entry);
  turn.set({ differing });
}

/** Takes what a member heard of the others. @returns what is wrong with it. */
export function takeHeard(
  turn: Turn,
  { workerId }: Member,
  { heard = [] }: WorkerMessageOf<'halted'>,
): string | undefined {
  const { places } = turn.state;
  const wrong = heard.find(({ digests }) => digests.length !== places.length * DIGEST_CHARACTERS);
  if (wrong)
    return `digests of ${wrong.digests.length / DIGEST_CHARACTERS} members of a group of ${places.length}`;
  turn.set({ heard: new Map([...turn.state.heard, [workerId, heard]]) });
  return undefined;
}

/**
 * All have answered a halt: expels those who differed from most without having heard something else, and those who are proven to
 * have sent different things; parts those of whom one must lie, not for good.
 * @returns whether members that contradict one another are in no group together any more: what else went wrong follows from that.
 */
export function settleDiffering(turn: Turn): boolean {
  const { heard, places, differing, workers } = turn.state;
  const own = places.filter((workerId) => workers.get(workerId)?.isOwners === true);
  const owners = new Set(own.length < places.length ? own : []);
  const { liars: found, quarrels, misled } = judgeGathers(heard, places, owners);
  const liars = new Set([...found].filter((workerId) => !owners.has(workerId)));
  for (const workerId of liars) expel(turn, workerId, 'what it sent was not the same for all members');
  for (const [workerId, { reason }] of differing) if (!misled.has(workerId)) expel(turn, workerId, reason);
  let isParted = liars.size > 0;
  for (;;) {
    const together = quarrels.filter((pair) => pair.every((workerId) => turn.member(workerId)));
    if (together.length === 0) return isParted;
    const suspect = pickOfQuarrel(turn, together);
    if (!suspect || !enoughWithout(turn, [suspect.workerId])) return isParted;
    const { workerId, accuser = '' } = suspect;
    const reason = `it and worker ${accuser} contradict each other in what one of them sent`;
    turn.log('warn', `Worker ${workerId} is set aside without proof: ${reason}`);
    setAside(turn, workerId, { reason, until: 'forgiven', accuser });
    isParted = true;
  }
}
