// Members that came to different results without a majority on any side: no side is recorded. The round is done again by a
// fresh generation, once; then all who are in it have to go.

import type { Ballot } from './ballot.ts';
import { endRun, forgive } from './ending.ts';
import { enoughWithout } from './formation.ts';
import { MembersDisagreeError } from './runErrors.ts';
import { noDisputes, recordedRounds } from './runState.ts';
import type { Member } from './runState.ts';
import { expel, liftForgiven, setAside } from './setAside.ts';
import type { Turn } from './turn.ts';

/** A difference that is there again when the round is done again is none of chance. */
const MOST_IN_A_ROW = 2;
/** In the whole run, however often a round succeeds between them. */
const MOST_IN_ALL = 8;

interface Dispute {
  readonly workerIds: readonly string[];
  /** Those who have to go when it comes to that: all, unless most of those who said anything are on one side. */
  readonly suspects: readonly string[];
  readonly about: string;
}

/** What was left open when all had answered a halt. Settles it; the caller looks whether the run has ended. @returns false when nothing was. */
export function settleDispute(turn: Turn): boolean {
  expelImpossible(turn);
  const dispute = findDispute(turn);
  if (!dispute) return false;
  const { plan, state } = turn;
  const { workerIds, suspects, about } = dispute;
  const disputes = { inARow: state.disputes.inARow + 1, total: state.disputes.total + 1 };
  turn.set({ disputes });
  const text = `Workers ${workerIds.join(' and ')} ${about}, and nobody can tell who is right`;
  if (disputes.inARow < MOST_IN_A_ROW && disputes.total < MOST_IN_ALL) {
    turn.log('warn', `${text}: it is done again (${plan.runId})`);
    return true;
  }
  turn.set({ disputes: noDisputes });
  if (enoughWithout(turn, suspects)) {
    turn.log('warn', `${text}: the run goes on without ${suspects.join(' and ')} (${plan.runId})`);
    for (const workerId of suspects) setAside(turn, workerId, { reason: about, until: 'never' });
    return true;
  }
  const error = new MembersDisagreeError(`${text}, ${disputes.total} times`, { peer: workerIds[0] ?? '' });
  if (forgive(turn)) liftForgiven(turn);
  else endRun(turn, error);
  return true;
}

function findDispute({ plan, state }: Turn): Dispute | undefined {
  const here = new Set(state.members.map(({ workerId }) => workerId));
  /** Of members that are for different candidates; those who are lost can't be asked again. */
  const between = ({ candidates }: Ballot, about: string): Dispute | undefined => {
    const sides = candidates.map(({ voters }) => [...voters].filter((id) => here.has(id)));
    const inSides = new Set(sides.flat());
    const workerIds = state.members.map(({ workerId }) => workerId).filter((id) => inSides.has(id));
    const most = sides.find((side) => 2 * side.length > workerIds.length) ?? [];
    if (sides.filter((side) => side.length > 0).length < 2) return undefined;
    return { workerIds, suspects: workerIds.filter((id) => !most.includes(id)), about };
  };
  for (const round of state.votes.inOrder) {
    const ballot = state.votes.open(round)?.ballot;
    const about = `came to different ${ballot?.differences.join(' and ')} of round ${round}`;
    const dispute = ballot && between(ballot, about);
    if (dispute) return dispute;
  }
  for (const { rounds, ballot } of state.states.open) {
    const dispute = between(ballot, `have different states after ${rounds} rounds`);
    if (dispute) return dispute;
  }
  const { ahead, behind } = apart(state.members, recordedRounds(state));
  if (!plan.kind.recordsEveryRound || state.roster.length === 0 || ahead.length === 0) return undefined;
  const workerIds = [...ahead, ...behind];
  return {
    workerIds,
    suspects: workerIds,
    about: `say that ${Math.max(...state.members.map(farthest))} and ${recordedRounds(state)} rounds are committed`,
  };
}

/**
 * Members of a generation are at most a round apart: no round is complete without all of them. Where most have not got
 * farther than the record, so a claim to be two rounds ahead of it is false.
 */
function expelImpossible(turn: Turn): void {
  const { plan, state } = turn;
  if (!plan.kind.recordsEveryRound || state.roster.length === 0) return;
  const { ahead, behind } = apart(state.members, recordedRounds(state));
  if (behind.length <= ahead.length) return;
  for (const workerId of ahead) expel(turn, workerId, 'it claims rounds that no group can have made');
}

type Progress = Pick<Member, 'workerId' | 'toldRounds' | 'committedRounds'>;

function apart(members: readonly Progress[], recorded: number): { ahead: string[]; behind: string[] } {
  const ids = (some: readonly Progress[]): string[] => some.map(({ workerId }) => workerId);
  // A member that has lost its state says nothing about where the others can be.
  const behind = ids(members.filter((one) => farthest(one) === recorded && one.committedRounds === recorded));
  const ahead = ids(members.filter((one) => farthest(one) >= recorded + 2));
  return behind.length === 0 ? { ahead: [], behind } : { ahead, behind };
}

function farthest({ toldRounds, committedRounds }: Progress): number {
  return Math.max(toldRounds, committedRounds);
}
