// The record of committed rounds: each once, in order, and how it is announced.

import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import type { CommittedRound, RoundTiming } from './runRequest.ts';
import { recordedRounds } from './runState.ts';
import { smoothed, trainRows } from './speed.ts';
import type { Turn } from './turn.ts';

/** Appends a round if it is the next one (or a later one); a round that is recorded already is not recorded again. */
export function recordRound(turn: Turn, round: CommittedRound): void {
  const { state, plan, atMs } = turn;
  const next = recordedRounds(state);
  const isDue = plan.kind.recordsEveryRound ? round.round === next : round.round >= next;
  if (!isDue || state.isComplete) return;
  const record = [...state.record, round];
  turn.set({
    record,
    isComplete: plan.isEnough(round) || recordedRounds({ record }) === plan.totalRounds,
    longestRoundMs: Math.max(state.longestRoundMs, atMs - state.roundSinceMs),
    roundSinceMs: atMs,
  });
}

/** Keeps what a member says about its round, until all have said it. */
export function recordTiming(turn: Turn, workerId: string, message: WorkerMessageOf<'committed'>): void {
  const { state } = turn;
  const { round, computeMs, exchangeMs, bytesSent } = message;
  const member = turn.member(workerId);
  const rows = trainRows(member?.leases ?? []);
  if (rows > 0) {
    const msPerRow = smoothed(state.msPerRow.get(workerId), computeMs / rows);
    turn.set({ msPerRow: new Map([...state.msPerRow, [workerId, msPerRow]]) });
  }
  const lastAnnounced = state.record[state.announcedRounds - 1]?.round ?? -1;
  if (round <= lastAnnounced || round >= turn.plan.totalRounds) return;
  const timing: RoundTiming = { workerId, computeMs, exchangeMs, bytesSent };
  const timings = [...(state.timings.get(round) ?? []).filter((one) => one.workerId !== workerId), timing];
  turn.set({ timings: new Map([...state.timings, [round, timings]]) });
}

/** Announces recorded rounds whose timings are complete; all recorded rounds when the group is over. */
export function announceRounds(turn: Turn, groupIsOver: boolean): void {
  for (;;) {
    const { state } = turn;
    const committed = state.record[state.announcedRounds];
    if (!committed) return;
    const timings = state.timings.get(committed.round) ?? [];
    // A later round that is recorded already means that somebody's timing is not to be waited for.
    const isLast = state.announcedRounds === state.record.length - 1;
    if (isLast && !groupIsOver && timings.length < state.members.length) return;
    const rest = new Map([...state.timings].filter(([round]) => round > committed.round));
    turn.set({ announcedRounds: state.announcedRounds + 1, timings: rest });
    turn.emit({ type: 'round', committed, timings });
  }
}
