// How long a member may keep all others waiting: learned from them, so that a volunteer whose sockets live and who does
// nothing costs seconds, and slow groups get the time that they need.

import type { Member, RunPlan, RunState } from './runState.ts';

/** Who is slower than the slowest of the others by more than this factor is taken for dead. */
const TIMES_THE_SLOWEST = 5;
/** A worker may be in the middle of a round of its last generation. */
const ROUNDS_IN_FLIGHT = 3;

export function longestRoundMs({ lastRoundsMs }: Pick<RunState, 'lastRoundsMs'>): number {
  return Math.max(0, ...lastRoundsMs);
}

/** Members that have not said a word since they got their place. */
export function silentMembers({ members }: RunState): Member[] {
  return members.filter(({ heardAfterMs }) => heardAfterMs === undefined);
}

/** When those who said nothing of the generation, or did not answer the halt, have kept most others waiting too long. */
export function silenceEndsAtMs(plan: RunPlan, state: RunState): number {
  const { halt, formedAtMs } = state;
  if (state.phase === 'loading') return endsAtMs(plan, state, formedAtMs, ({ heardAfterMs }) => heardAfterMs);
  if (state.phase === 'halting' && halt)
    return endsAtMs(plan, state, halt.askedAtMs, ({ haltedAfterMs }) => haltedAfterMs);
  return Infinity;
}

function endsAtMs(
  plan: RunPlan,
  state: RunState,
  sinceMs: number,
  afterMs: (member: Member) => number | undefined,
): number {
  const times = state.members.flatMap((member) => afterMs(member) ?? []);
  const late = state.members.length - times.length;
  // Where most are late, it may be the coordinator's line, or a machine that all share.
  if (late === 0 || times.length < late) return Infinity;
  const learnedMs = TIMES_THE_SLOWEST * Math.max(...times) + ROUNDS_IN_FLIGHT * longestRoundMs(state);
  return sinceMs + Math.max(plan.timing.silenceMs, learnedMs);
}
