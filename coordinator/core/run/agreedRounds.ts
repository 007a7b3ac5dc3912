// What most members agree on of rounds that are not recorded yet, and who those are.

import type { Candidate } from './ballot.ts';
import type { OpenRound, RoundContent } from './roundVotes.ts';
import { recordedRounds } from './runState.ts';
import type { Turn } from './turn.ts';

/** Of all members together. */
export const MAX_OPEN_VOTES = 64 * 1024;

/** What most agree on of a round, and who does. */
interface Agreed {
  readonly content: RoundContent;
  readonly voters: readonly string[];
}

/**
 * What most agree on of a round that is not recorded yet, once every member that can know of it has made it: what was summed up
 * in it is complete then.
 */
export function agreedRound(turn: Turn, round: number): Agreed | undefined {
  const { state } = turn;
  const open = state.votes.open(round);
  if (!open) return undefined;
  const haveAnswered = state.phase === 'halting' && state.members.every(({ halted }) => halted);
  const winner = haveAnswered
    ? winnerAmong(turn, open)
    : state.members.every(({ toldRounds }) => toldRounds > round)
      ? winnerOf(turn, open)
      : undefined;
  const content = winner && open.contents.get(winner);
  return content && { content, voters: votersOf(open, winner) };
}

/** Whatever they say of the metrics. */
function votersOf({ ballot }: OpenRound, { says }: Candidate): string[] {
  return ballot.candidates.flatMap((other) =>
    other.says['trees'] === says['trees'] ? [...other.voters] : [],
  );
}

/** Rounds that most members agree on, in a row: those that are checked are recorded later. Of as many as are kept of all. */
export function agreedRounds(turn: Turn): number {
  const { checks, votes, members } = turn.state;
  const recorded = recordedRounds(turn.state);
  if (!checks.isOn) return recorded;
  checks.agreed = Math.max(checks.agreed, recorded);
  for (let open = votes.open(checks.agreed); open && winnerOf(turn, open); open = votes.open(checks.agreed))
    checks.agreed += 1;
  return Math.min(checks.agreed, recorded + Math.floor(MAX_OPEN_VOTES / members.length));
}

/** What most members say; where owner's workers are among them, what most of these say. */
export function winnerOf({ state }: Turn, { ballot }: OpenRound): Candidate | undefined {
  const owners = state.checks.group.filter(({ isOwners }) => isOwners).map(({ workerId }) => workerId);
  if (owners.length === 0 || owners.length === state.groupSize) return ballot.winner(state.groupSize);
  return ballot.winnerAmong(new Set(owners));
}

/** The same of those who can know. */
export function winnerAmong(turn: Turn, open: OpenRound): Candidate | undefined {
  const ids = electorate(turn, open);
  const owners = turn.state.checks.group.filter(({ workerId, isOwners }) => isOwners && ids.has(workerId));
  const isMixed = owners.length > 0 && owners.length < ids.size;
  return open.ballot.winnerAmong(isMixed ? new Set(owners.map(({ workerId }) => workerId)) : ids);
}

/**
 * Members that have got as far as the round, and those who told of it before they were lost. A member that has lost its state
 * can't testify.
 */
function electorate({ state }: Turn, { round, ballot }: OpenRound): Set<string> {
  const members = state.members.filter((member) => member.committedRounds >= round);
  const ids = [...members.map(({ workerId }) => workerId), ...ballot.voters];
  return new Set(ids.filter((workerId) => state.setAside.get(workerId)?.until !== 'never'));
}
