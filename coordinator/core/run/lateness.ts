// Workers that keep all others waiting. Each wait is counted by worker, over all generations of the run: the first may be
// chance, and a word from the worker ends it; after the next ones it is left alone for longer and longer, then for good.
// Volunteers that come as new ones every time are met by a pause: a group works longer than the last of them cost.

import { beCautious, WORK_PER_WAIT } from './caution.ts';
import { lift, setAside } from './setAside.ts';
import type { RunState } from './runState.ts';
import type { Turn } from './turn.ts';

/** How long a worker is left alone after it kept the others waiting once, twice, three times; then it is for good. */
const PAUSES_MS: readonly number[] = [0, 15_000, 60_000];
/** The longest pause of a member that no other waited for, or of which nothing is proven. */
const LONGEST_HARMLESS_MS = 300_000;

export interface Lateness {
  /** It had said that it was ready, or most others say that it is the one: that is no chance. */
  readonly isProven?: boolean;
  /** No other member waited for it. */
  readonly isHarmless?: boolean;
  /** It has spoken: the pause is all that is waited for. */
  readonly isHeard?: boolean;
}

/** Sets a worker aside that kept the others waiting. The caller halts the generation where it is a member. */
export function setAsideLate(
  turn: Turn,
  workerId: string,
  reason: string,
  { isProven = false, isHarmless = false, isHeard = false }: Lateness = {},
): void {
  const before = turn.state.delays.get(workerId) ?? 0;
  const delays = Math.max(before + 1, isProven || isHarmless ? 2 : 1);
  turn.set({ delays: withLast(turn.state.delays, workerId, delays) });
  if (turn.member(workerId)) beCautious(turn);
  const pauseMs = PAUSES_MS[delays - 1] ?? (isHarmless ? LONGEST_HARMLESS_MS : Infinity);
  setAside(turn, workerId, { reason, until: 'heard', notBeforeMs: turn.atMs + pauseMs, isHeard });
}

/** Before one comes back that was set aside on the word of others, the first time, the second and so on. Never for good. */
const DOUBTFUL_PAUSES_MS: readonly number[] = [15_000, 60_000];

/**
 * Sets a worker aside that may be the cause of trouble, or not: there is no more than what members say of one another.
 * @param accuser when that one goes, this one may come back.
 */
export function setAsideDoubtful(turn: Turn, workerId: string, reason: string, accuser?: string): void {
  const doubts = (turn.state.doubts.get(workerId) ?? 0) + 1;
  turn.set({ doubts: withLast(turn.state.doubts, workerId, doubts) });
  if (turn.member(workerId)) beCautious(turn);
  const notBeforeMs = turn.atMs + (DOUBTFUL_PAUSES_MS[doubts - 1] ?? LONGEST_HARMLESS_MS);
  const isHeard = turn.state.workers.get(workerId)?.present === true;
  setAside(turn, workerId, {
    reason,
    until: 'heard',
    notBeforeMs,
    isHeard,
    ...(accuser !== undefined && { accuser }),
  });
  // It answered in time, so what it is doing is of no use to this run for now.
  turn.release(workerId, reason);
}

/** What was noted last is forgotten last. */
function withLast(counts: ReadonlyMap<string, number>, workerId: string, count: number): Map<string, number> {
  const next = new Map(counts);
  next.delete(workerId);
  return next.set(workerId, count);
}

/**
 * Before this the group does not wait for newcomers: it works longer than forming it took when the last ones came, unless they
 * are as many as its members, and works off what the last late ones cost.
 */
export function joinNotBeforeMs({ plan, state }: Turn): number {
  const { begunAtMs, joinCostMs, cautiousUntilMs, members } = state;
  if (begunAtMs === undefined) return Infinity;
  const costMs = loadedNewcomers(state) >= members.length ? 0 : joinCostMs;
  const workMs = Math.max(plan.timing.workBeforeJoinMs, WORK_PER_WAIT * costMs);
  return Math.max(begunAtMs + workMs, cautiousUntilMs);
}

/** Workers that have loaded for a place and have none. */
export function loadedNewcomers({ prepared, workers }: RunState): number {
  return [...prepared].filter(([id, { isDone }]) => isDone && workers.get(id)?.present === true).length;
}

/** A worker that was set aside for its silence is heard of. @returns whether it may be used again. */
export function lookAtAgain(turn: Turn, workerId: string): boolean {
  const entry = turn.state.setAside.get(workerId);
  if (entry?.until !== 'heard') return false;
  if (turn.atMs >= (entry.notBeforeMs ?? 0)) return lift(turn, (_, id) => id === workerId);
  if (entry.isHeard !== true)
    turn.set({ setAside: new Map([...turn.state.setAside, [workerId, { ...entry, isHeard: true }]]) });
  return false;
}

/** When the next pause is over of one that has been heard of. */
export function pauseEndsAtMs({ setAside: aside }: RunState): number {
  const heard = [...aside.values()].filter(({ until, isHeard }) => until === 'heard' && isHeard === true);
  return Math.min(...heard.map(({ notBeforeMs = 0 }) => notBeforeMs));
}

/** @returns whether anybody may be used again. */
export function liftPaused(turn: Turn): boolean {
  return lift(
    turn,
    ({ until, isHeard, notBeforeMs = 0 }) =>
      until === 'heard' && isHeard === true && turn.atMs >= notBeforeMs,
  );
}

/** Without enough others the run stands still anyway: every worker that is connected may try again. */
export function liftHeard(turn: Turn): boolean {
  return lift(turn, ({ until, isHeard }) => until === 'heard' && isHeard === true);
}
