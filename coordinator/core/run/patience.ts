// How long a member may keep all others waiting: learned from them, so that a volunteer whose sockets live and who does
// nothing, or little, costs seconds, and slow groups get the time that they need.

import type { RunPlan } from './runPlan.ts';
import type { Member, RunState } from './runState.ts';

/** Who is slower than the slowest of the others by more than this factor is taken for dead. */
export const TIMES_THE_SLOWEST = 5;
/** The same for a round: they differ from one another. */
const TIMES_THE_LONGEST_ROUND = 20;
/** A worker may be in the middle of a round of its last generation. */
const ROUNDS_IN_FLIGHT = 3;
/** For the first round of a run, before anything is known of rounds. */
const FIRST_ROUND_FACTOR = 4;
/** Where the cause of a standstill is unknown (an owner's function may take long), more time is given each time. */
const PATIENCE_GROWTH = 4;

function longestRoundMs({ lastRoundsMs }: Pick<RunState, 'lastRoundsMs'>): number {
  return Math.max(0, ...lastRoundsMs);
}

/** The median of the last rounds. */
export function usualRoundMs({ lastRoundsMs }: Pick<RunState, 'lastRoundsMs'>): number {
  const sorted = [...lastRoundsMs].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** How long the group may go without a committed round. */
export function roundPatienceMs({ kind, timing }: RunPlan, state: RunState): number {
  const { lastRoundsMs, fruitless } = state;
  const learnedMs = TIMES_THE_LONGEST_ROUND * longestRoundMs(state);
  const longestMs = Math.max(timing.roundIdleMs, learnedMs);
  // Steps are told of several at a time, and between them evaluations and stored states take their time.
  if (!kind.recordsEveryRound) return longestMs;
  const leastMs = timing.quietMs * (lastRoundsMs.length === 0 ? FIRST_ROUND_FACTOR : 1);
  const unexplained = fruitless.accusers.size > 0 ? 0 : fruitless.generations;
  return Math.min(longestMs, Math.max(learnedMs, leastMs * PATIENCE_GROWTH ** unexplained));
}

/** Whether nothing has happened for far longer than a round takes, as the coordinator itself has seen. */
export function standsStill({ timing }: RunPlan, state: RunState, atMs: number): boolean {
  const { begunAtMs, roundSinceMs, formedAtMs, members } = state;
  if (begunAtMs === undefined) {
    const lastMs = Math.max(formedAtMs, ...members.map((member) => member.progressAtMs));
    return atMs - lastMs >= 2 * timing.silenceMs;
  }
  // What one member tells of further rounds is no progress of the group.
  return atMs - roundSinceMs >= Math.max(timing.quietMs, TIMES_THE_SLOWEST * usualRoundMs(state));
}

/** When those who said nothing of the generation, or did not answer the halt, have kept most others waiting too long. */
export function silenceEndsAtMs(plan: RunPlan, state: RunState): number {
  return Math.min(...silentUntilMs(plan, state).map(({ untilMs }) => untilMs));
}

/** Members that have kept silent for too long. */
export function silentMembers(plan: RunPlan, state: RunState, atMs: number): Member[] {
  return silentUntilMs(plan, state).flatMap(({ member, untilMs }) => (atMs >= untilMs ? [member] : []));
}

export interface Due {
  readonly member: Member;
  readonly untilMs: number;
}

function silentUntilMs(plan: RunPlan, state: RunState): Due[] {
  const { halt, formedAtMs, phase } = state;
  const { silenceMs } = plan.timing;
  if (phase === 'loading') {
    // Who has said that its rows are there has nothing to do before it can say so again.
    const leastMs = ({ isPromised }: Member): number => (isPromised ? silenceMs / 2 : silenceMs);
    return dueOf(state, formedAtMs, ({ heardAfterMs }) => heardAfterMs, leastMs);
  }
  if (phase === 'halting' && halt)
    return dueOf(
      state,
      halt.askedAtMs,
      ({ haltedAfterMs }) => haltedAfterMs,
      () => silenceMs,
    );
  return [];
}

function dueOf(
  state: RunState,
  sinceMs: number,
  afterMs: (member: Member) => number | undefined,
  leastMs: (member: Member) => number,
): Due[] {
  const times = state.members.flatMap((member) => afterMs(member) ?? []);
  const late = state.members.filter((member) => afterMs(member) === undefined);
  // Where most are late, it may be the coordinator's line, or a machine that all share.
  if (late.length === 0 || times.length < late.length) return [];
  const learnedMs = TIMES_THE_SLOWEST * Math.max(...times) + ROUNDS_IN_FLIGHT * longestRoundMs(state);
  return late.map((member) => ({ member, untilMs: sinceMs + Math.max(leastMs(member), learnedMs) }));
}

export function earliestMs(due: readonly Due[]): number {
  return Math.min(...due.map(({ untilMs }) => untilMs));
}

export function overdue(due: readonly Due[], atMs: number): Member[] {
  return due.flatMap(({ member, untilMs }) => (atMs >= untilMs ? [member] : []));
}
