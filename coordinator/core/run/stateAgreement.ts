// A state is kept when most members say that it is the one that they have, and it is in the blob store.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import type { Candidate } from './ballot.ts';
import { noteDiffering } from './differing.ts';
import type { HaltWish } from './roundAgreement.ts';
import { recordedRounds } from './runState.ts';
import type { BlobCheck } from './blobCheck.ts';
import type { Member, RunInput } from './runState.ts';
import { expel } from './setAside.ts';
import type { OpenState } from './stateVotes.ts';
import type { Turn } from './turn.ts';

/** States that members told of and most did not: then the group halts. At twice as many, what comes is malformed. */
const MOST_OPEN = 32;

/** Takes a member's word on a state. @returns why the group must halt, if it must. */
export function takeState(
  turn: Turn,
  member: Member,
  { rounds, sha256, sizeBytes }: WorkerMessageOf<'saved'> | WorkerMessageOf<'state'>,
  isStored: boolean,
): HaltWish | undefined {
  const { plan, state } = turn;
  const { workerId } = member;
  const place = `a state after ${rounds} rounds`;
  if (plan.kind.recordsEveryRound || rounds > plan.totalRounds) return turn.malformed(workerId, place);
  if (rounds <= member.toldState)
    return turn.malformed(workerId, `${place} after one of ${member.toldState}`);
  const isNew = state.states.of(rounds) === undefined;
  if (isNew && state.states.openStates >= 2 * MOST_OPEN)
    return turn.malformed(workerId, `${place}, of which nobody else has told`);
  turn.setMember(workerId, { toldState: rounds });
  turn.set({ progressAtMs: turn.atMs });
  const saved = state.savedState;
  if (saved && rounds < saved.rounds) return undefined;
  if (saved?.rounds === rounds) {
    const isSame = saved.sha256 === sha256 && saved.sizeBytes === sizeBytes;
    return isSame ? undefined : haltDiffering(turn, rounds, [workerId]);
  }
  const open = state.states.vote(workerId, { rounds, sha256, sizeBytes }, isStored);
  const winner = open.ballot.winner(state.groupSize);
  if (winner) return keep(turn, open, winner);
  if (state.states.openStates >= MOST_OPEN)
    return { when: 'now', reason: `worker ${workerId} tells of states that most members do not` };
  if (open.ballot.candidates.length < 2) return undefined;
  return { when: 'commit', reason: `members have different states after ${rounds} rounds`, isUrgent: true };
}

/** All have answered a halt: what most of those say who said anything counts. */
export function settleStates(turn: Turn): void {
  const { states, setAside } = turn.state;
  for (const open of states.open) {
    const ids = [...turn.state.members.map(({ workerId }) => workerId), ...open.ballot.voters];
    const electorate = new Set(ids.filter((workerId) => setAside.get(workerId)?.until !== 'never'));
    const winner = open.ballot.winnerAmong(electorate);
    if (winner) keep(turn, open, winner);
  }
}

function keep(turn: Turn, open: OpenState, winner: Candidate): HaltWish | undefined {
  const against = open.ballot.votersAgainst(winner);
  const stored = open.stored.get(winner);
  if (stored && !open.isChecked) {
    open.isChecked = true;
    checkBlob(turn, { what: 'state', workerId: stored.workerId, ...stored.state });
  }
  return against.length > 0 ? haltDiffering(turn, open.rounds, against) : undefined;
}

function haltDiffering(turn: Turn, rounds: number, workerIds: readonly string[]): HaltWish {
  noteDiffering(turn, workerIds, {
    round: rounds,
    reason: `its state after ${rounds} rounds differs from that of most members`,
  });
  return {
    when: 'now',
    reason: `worker ${workerIds.join(', ')} has a different state after ${rounds} rounds`,
  };
}

export function checkBlob(turn: Turn, check: BlobCheck): void {
  turn.set({ blobChecks: turn.state.blobChecks + 1 });
  turn.command({ type: 'checkBlob', check });
}

/** Whether what a worker said is stored is there. @returns why the group must halt, if it must. */
export function takeBlob(turn: Turn, { check, found }: RunInput & { type: 'blob' }): HaltWish | undefined {
  turn.set({ blobChecks: Math.max(0, turn.state.blobChecks - 1) });
  const { workerId, what, rounds, sha256, sizeBytes } = check;
  if (found === 'missing') {
    turn.malformed(workerId, `blob ${sha256} of ${sizeBytes} bytes, which is not stored`);
    expel(turn, workerId, `it said that a ${what} is stored, and it is not`);
    return { when: 'now', reason: `worker ${workerId} did not store what it said` };
  }
  if (found === 'unknown') return undefined;
  if (what === 'profile') {
    turn.emit({ type: 'profiled', sha256, sizeBytes });
    return undefined;
  }
  // A state that is gone behind has somebody's lies in it.
  if (turn.state.stepChecks.undo || rounds <= (turn.state.savedState?.rounds ?? -1)) return undefined;
  const savedState = { rounds, sha256, sizeBytes };
  turn.state.states.dropUpTo(rounds);
  turn.set({ savedState, progressAtMs: turn.atMs });
  turn.emit({ type: 'checkpoint', ...savedState });
  return undefined;
}

/** Whether what the run needs in the end is kept; where members hold the state, that is its last one. */
export function isStored({ plan, state }: Turn): boolean {
  return plan.kind.recordsEveryRound || (state.savedState?.rounds ?? 0) >= recordedRounds(state);
}
