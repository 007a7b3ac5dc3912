// The record of committed rounds: each once, in order, and how it is announced.

import type { CommittedRound, RoundTiming } from './runRequest.ts';
import { noDisputes, recordedRounds } from './runState.ts';
import type { Member } from './runState.ts';
import { smoothed } from './speed.ts';
import type { Turn } from './turn.ts';

/** A first round that warms up is forgotten after so many. */
const ROUNDS_REMEMBERED = 8;

/** Appends a round if it is the next one (or a later one); a round that is recorded already is not recorded again. */
export function recordRound(turn: Turn, round: CommittedRound): boolean {
  const { state, plan, atMs } = turn;
  const next = recordedRounds(state);
  const isDue = plan.kind.recordsEveryRound ? round.round === next : round.round >= next;
  if (!isDue || state.isComplete) return false;
  state.record.push(round);
  turn.set({
    isComplete: plan.isEnough(round) || recordedRounds(state) === plan.totalRounds,
    lastRoundsMs: [...state.lastRoundsMs, atMs - state.roundSinceMs].slice(-ROUNDS_REMEMBERED),
    roundSinceMs: atMs,
    withheldAtMs: undefined,
    disputes: { ...noDisputes, total: state.disputes.total },
    ...(state.failed.size > 0 && { failed: new Map() }),
  });
  return true;
}

/** Keeps how fast a member is. */
export function measureSpeed({ state }: Turn, { workerId, trainRows }: Member, computeMs: number): void {
  if (trainRows === 0) return;
  state.msPerRow.set(workerId, smoothed(state.msPerRow.get(workerId), computeMs / trainRows));
}

/** Announces recorded rounds whose timings are complete; all recorded rounds when the group is over. */
export function announceRounds(turn: Turn, groupIsOver: boolean): void {
  for (;;) {
    const { state } = turn;
    const committed = state.record[state.announcedRounds];
    if (!committed) return;
    const timings: readonly RoundTiming[] = state.votes.decided(committed.round)?.timings ?? [];
    // A later round that is recorded already means that somebody's timing is not to be waited for.
    const isLast = state.announcedRounds === state.record.length - 1;
    if (isLast && !groupIsOver && timings.length < state.members.length) return;
    turn.set({ announcedRounds: state.announcedRounds + 1 });
    turn.emit({ type: 'round', committed, timings: [...timings] });
  }
}
