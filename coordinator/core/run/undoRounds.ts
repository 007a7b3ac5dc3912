// A run of a net goes back to a state that a convicted worker had no part in: the last one that was stored before it came. What is done
// again is then as if it had never been there.

import { noFruitless, remembered } from './conduct.ts';
import type { RunSpec } from '../../../shared/run/runSpec.ts';
import { runKindOf } from './runKinds.ts';
import type { SavedState } from './runRequest.ts';
import { noDisputes } from './runState.ts';
import type { Member, RunState } from './runState.ts';
import { noStepChecks, type StepCheckState, type Undo } from './stepCheckState.ts';
import type { Turn } from './turn.ts';

/** Different states that are kept to go back to, besides the first one. */
const MOST_ENTRIES = 8;

/** Notes for those who are new in the run the state that was stored before them. The owner's own are never convicted. */
export function noteEntries(
  { stepChecks: { entries }, workers, savedState }: RunState,
  members: readonly Member[],
): StepCheckState['entries'] {
  const known = new Map(entries);
  const kept = [...new Set(entries.values())];
  const isRoom = savedState === undefined || kept.includes(savedState) || kept.length < MOST_ENTRIES;
  // Without room for one more an earlier one does: more is done again then.
  const entry = isRoom ? savedState : latest(kept);
  for (const { workerId } of members)
    if (!known.has(workerId) && workers.get(workerId)?.isOwners !== true) known.set(workerId, entry);
  return remembered(known, workers);
}

/** SHA-256 of the states that the run may go on from, or back to. */
export function statesToKeep(spec: RunSpec, { savedState, stepChecks }: RunState): string[] {
  const stored = [savedState, ...stepChecks.entries.values()].map((state) => state?.sha256);
  return [runKindOf(spec).firstState?.(spec), ...stored].filter((sha256) => sha256 !== undefined);
}

function latest(states: readonly (SavedState | undefined)[]): SavedState | undefined {
  return states.reduce((last, one) => (roundsOf(one) > roundsOf(last) ? one : last), undefined);
}

function roundsOf(state: SavedState | undefined): number {
  return state?.rounds ?? 0;
}

/** Once the group has stopped, the run goes back to before the first of these came. */
export function undoWorkOf(turn: Turn, workerIds: readonly string[]): void {
  const { stepChecks } = turn.state;
  const { entries, undo } = stepChecks;
  if (turn.plan.kind.recordsEveryRound || workerIds.length === 0) return;
  const states = workerIds.map((workerId) => entries.get(workerId));
  const [first] = [...states, ...(undo ? [undo.savedState] : [])].sort((a, b) => roundsOf(a) - roundsOf(b));
  const reason = `worker ${workerIds.join(', ')} lied`;
  turn.set({ stepChecks: { ...stepChecks, undo: { savedState: first, reason } } });
}

/** All have stopped: the record and the stored state are those of before. */
export function applyUndo(turn: Turn, { savedState, reason }: Undo): void {
  const { record, announcedRounds, agreed, stepChecks } = turn.state;
  const rounds = roundsOf(savedState);
  const kept = record.filter(({ round }) => round < rounds);
  const notLater = (state: SavedState | undefined): SavedState | undefined =>
    roundsOf(state) > rounds ? savedState : state;
  const entries = [...stepChecks.entries].map(([workerId, state]) => [workerId, notLater(state)] as const);
  turn.log('warn', `The run goes back to round ${rounds}: ${reason} (${turn.plan.runId})`);
  turn.set({
    record: kept,
    savedState,
    stepChecks: { ...noStepChecks, entries: new Map(entries) },
    // Nobody's own state counts: all take the stored one.
    stateHolders: new Set(),
    announcedRounds: Math.min(announcedRounds, kept.length),
    agreed: new Map([...agreed].map(([workerId, known]) => [workerId, Math.min(known, rounds)])),
    isComplete: false,
    fruitless: noFruitless,
    disputes: noDisputes,
    finished: new Map(),
  });
  turn.emit({ type: 'undone', rounds, reason, ...(savedState && { savedState }) });
}
