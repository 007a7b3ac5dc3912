// How a run ends, and which failures it forgives.

import { outsideMessage } from '../../../shared/outsideMessage.ts';
import { announceRounds } from './commitRecord.ts';
import type { RunOutcome } from './runRequest.ts';
import type { Member } from './runState.ts';
import type { Turn } from './turn.ts';

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/** Counts a failure; false when it was one too many. Before the next attempt there is a pause that grows. */
export function forgive(turn: Turn): boolean {
  const { plan, state, atMs } = turn;
  const failures = state.failures + 1;
  const pauseMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(state.failures, 10));
  turn.set({ failures, formAtMs: atMs + pauseMs });
  return plan.maxFailures === -1 || failures <= plan.maxFailures;
}

export function outcome({ state }: Turn, status: RunOutcome['status']): RunOutcome {
  return { status, rounds: state.record };
}

/** Lets all workers go and ends the run with what came of it. */
export function endRun(turn: Turn, result: RunOutcome | Error): void {
  announceRounds(turn, true);
  const reason =
    result instanceof Error
      ? `the run failed: ${outsideMessage(result).message}`
      : `the run is ${result.status}`;
  const ending = result instanceof Error ? 'failed' : result.status;
  for (const workerId of turn.state.engaged) turn.release(workerId, reason, ending);
  turn.set({ phase: 'ended', members: [], halt: undefined, joinAtMs: undefined });
  turn.command({ type: 'end', result });
}

export function names(members: readonly Pick<Member, 'workerId'>[]): string {
  return members.map((member) => `worker ${member.workerId}`).join(', ');
}
