// What waits have cost: it is worked off before a newcomer interrupts the group again, however the wait ended. A member that
// goes just before it would be given up, under a new name each time, would hold the others up for most of the time otherwise.

import { usualRoundMs } from './patience.ts';
import { recordedRounds } from './runState.ts';
import type { Turn } from './turn.ts';

/** A wait must be worth this many times as long of work. */
export const WORK_PER_WAIT = 4;
/** One wait, however long it was, keeps newcomers away no longer. */
const LONGEST_CAUTION_MS = 600_000;
/** So much longer than usual takes who is killed in the middle of a round, on a busy machine. */
const SLACK_MS = 500;

/** What this generation lost by waiting has to be worked off before a newcomer interrupts the group again. */
export function beCautious(turn: Turn): void {
  const { atMs, state } = turn;
  const { phase, halt } = state;
  // The wait for the answers to a halt counts too.
  const sinceMs = Math.min(idleSinceMs(turn), phase === 'halting' && halt ? halt.askedAtMs : Infinity);
  const untilMs = atMs + Math.min(LONGEST_CAUTION_MS, WORK_PER_WAIT * (atMs - sinceMs));
  turn.set({ cautiousUntilMs: Math.max(state.cautiousUntilMs, untilMs) });
}

/**
 * A member goes, is sent away, or stops the group. The others have waited for it where it has done nothing in this run so far,
 * or longer than one that is lost in the middle of its work makes them wait.
 */
export function countWait(turn: Turn, workerId: string): void {
  const { state, atMs } = turn;
  const member = turn.member(workerId);
  if (!member) return;
  const isUntried = recordedRounds(state) > 0 && !member.hasWorked && (state.worked.get(workerId) ?? 0) === 0;
  const usualMs = state.begunAtMs === undefined ? state.joinCostMs : usualRoundMs(state);
  if (isUntried || atMs - idleSinceMs(turn) > 2 * usualMs + SLACK_MS) beCautious(turn);
}

/** Since when the group has got nothing done. What one member tells of further rounds is no progress of the group. */
function idleSinceMs({ state: { begunAtMs, formedAtMs, roundSinceMs } }: Turn): number {
  return begunAtMs === undefined ? formedAtMs : roundSinceMs;
}
