// Ending a generation: by plan after a round, or at once when somebody is missing. What survivors committed and the
// coordinator has not heard of is taken into the record, so that at most the round in flight is done again.

import { outsideMessage } from '../../shared/outsideMessage.ts';
import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import { announceRounds, recordRound } from './commitRecord.ts';
import { enoughWithout, formGroup } from './formation.ts';
import { RunStuckError } from './runErrors.ts';
import type { CommittedRound, RunOutcome } from './runRequest.ts';
import { noBarren, recordedRounds } from './runState.ts';
import type { Member } from './runState.ts';
import type { Turn } from './turn.ts';

/** Fruitless generations in a row before somebody is blamed. */
const PATIENCE_GENERATIONS = 3;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/** Stops the current generation. A halt in progress becomes more urgent, never less. */
export function startHalt(turn: Turn, when: 'now' | 'commit', reason: string, stalled = false): void {
  const { state, plan, atMs } = turn;
  if (state.phase !== 'loading' && state.phase !== 'training' && state.phase !== 'halting') return;
  const halt = state.halt;
  if (halt && (halt.when === 'now' || when === 'commit')) return;
  const patienceMs = when === 'now' ? plan.timing.haltMs : roundPatienceMs(turn);
  turn.set({
    phase: 'halting',
    halt: {
      when,
      reason,
      deadlineMs: atMs + patienceMs,
      stalled: stalled || (halt?.stalled ?? false),
      rounds: halt?.rounds ?? new Map(),
    },
    joinAtMs: undefined,
  });
  turn.log('info', `Halting generation ${state.generation} (${when}): ${reason}`);
  for (const member of turn.state.members) if (!member.halted) sendHalt(turn, member);
  checkHalted(turn);
}

export function roundPatienceMs({ plan, state }: Turn): number {
  return Math.max(plan.timing.roundIdleMs, 20 * state.longestRoundMs);
}

function sendHalt(turn: Turn, member: Member): void {
  const { plan, state } = turn;
  const { halt, generation, members } = state;
  if (!halt) return;
  if (halt.when === 'now' && state.workers.get(member.workerId)?.present !== true) {
    return dropMember(turn, member.workerId, 'its socket is lost');
  }
  const knownRounds = recordedRounds(state);
  const farthest = Math.max(knownRounds, ...members.map((one) => one.committedRounds));
  turn.send(member.workerId, {
    type: 'halt',
    runId: plan.runId,
    generation,
    when: halt.when,
    ...(halt.when === 'commit' && {
      atRounds: Math.min(plan.totalRounds, farthest + 1),
      keepsState: !plan.kind.recordsEveryRound && (state.stopReason !== undefined || state.isComplete),
    }),
    knownRounds,
    reason: halt.reason.slice(0, 500),
  });
}

/** A member's socket was replaced while a halt is on: the halt or its answer may be lost, so it is asked again. */
export function haltAgain(turn: Turn, workerId: string): void {
  const member = turn.member(workerId);
  if (member && !member.halted) sendHalt(turn, member);
}

export function onHalted(turn: Turn, workerId: string, message: WorkerMessageOf<'halted'>): void {
  const { state } = turn;
  const { halt } = state;
  if (state.phase !== 'halting' || !halt || message.generation !== state.generation) return;
  const rounds = new Map(halt.rounds);
  for (const { round, trees, metrics } of message.rounds) {
    if (round >= recordedRounds(state) && !rounds.has(round))
      rounds.set(round, { round, trees, metrics: metrics ?? {} });
  }
  turn.set({ halt: { ...halt, rounds } });
  turn.setMember(workerId, { halted: true, committedRounds: message.committedRounds });
  checkHalted(turn);
}

/** A member is no part of this generation any more. The caller halts the generation. */
export function dropMember(turn: Turn, workerId: string, reason: string): void {
  const member = turn.member(workerId);
  if (!member) return;
  turn.set({
    members: turn.state.members.filter((one) => one.workerId !== workerId),
    // What it knew may be lost with it; that is nobody's fault.
    barren: noBarren,
  });
  turn.command({ type: 'unclaim', workerId });
  turn.emit({ type: 'workerLost', workerId, reason, shards: member.leases.length });
}

/** The time for answers is over. */
export function onHaltDeadline(turn: Turn): void {
  const { state, plan } = turn;
  const silent = state.members.filter((member) => !member.halted);
  if (state.halt?.when === 'commit') {
    return startHalt(turn, 'now', `no round was committed by ${names(silent)} in time`, true);
  }
  for (const { workerId } of silent) {
    const reason = `did not answer a halt within ${plan.timing.haltMs} ms`;
    turn.set({ setAside: new Map([...turn.state.setAside, [workerId, { reason, forGood: false }]]) });
    dropMember(turn, workerId, reason);
  }
  checkHalted(turn);
}

/** Goes on once everybody who is still there has answered. */
export function checkHalted(turn: Turn): void {
  const { halt, members, phase } = turn.state;
  if (phase !== 'halting' || !halt || members.some((member) => !member.halted)) return;
  const before = turn.state.record.length;
  takeRounds(turn, halt.rounds);
  if (turn.state.record.length > before && askForMore(turn)) return;
  announceRounds(turn, true);
  agreeOnRounds(turn);
  if (turn.state.isComplete) return endRun(turn, outcome(turn, 'finished'));
  if (turn.state.stopReason !== undefined) return endRun(turn, outcome(turn, 'stopped'));
  if (halt.stalled) judgeStall(turn);
  else turn.set({ barren: noBarren });
  if (turn.state.phase === 'ended') return;
  turn.set({ phase: 'waiting', halt: undefined });
  formGroup(turn);
}

/** Whoever began the generation has its rounds as they are recorded, also who was lost on the way. */
function agreeOnRounds(turn: Turn): void {
  const { agreed, roster } = turn.state;
  const rounds = recordedRounds(turn.state);
  turn.set({
    agreed: new Map([...agreed, ...roster.map((workerId) => [workerId, rounds] as const)]),
  });
}

function takeRounds(turn: Turn, rounds: ReadonlyMap<number, CommittedRound>): void {
  const nextRound = (): CommittedRound | undefined => rounds.get(recordedRounds(turn.state));
  for (let next = nextRound(); next; next = nextRound()) {
    const length = turn.state.record.length;
    recordRound(turn, next);
    if (turn.state.record.length === length) return;
  }
}

/** An answer holds a limited number of rounds: who has more is asked for the next ones. */
function askForMore(turn: Turn): boolean {
  const { state, plan, atMs } = turn;
  const ahead = state.members.find((member) => member.committedRounds > recordedRounds(state));
  if (!ahead || !state.halt || state.isComplete || !plan.kind.recordsEveryRound) return false;
  turn.set({
    halt: { ...state.halt, when: 'now', deadlineMs: atMs + plan.timing.haltMs, rounds: new Map() },
  });
  turn.setMember(ahead.workerId, { halted: false });
  sendHalt(turn, ahead);
  return turn.member(ahead.workerId) !== undefined;
}

/** Blames somebody when generations end without a round again and again though all members answer. */
function judgeStall(turn: Turn): void {
  const { state, plan, atMs } = turn;
  const { barren } = state;
  // Where not every round is recorded, a member that told of one is proof enough.
  const hasWorked = !plan.kind.recordsEveryRound && state.members.some((member) => member.hasWorked);
  if (hasWorked || recordedRounds(state) > state.recordAtFormation || state.members.length === 0) {
    return turn.set({ barren: noBarren });
  }
  const generations = barren.generations + 1;
  turn.set({ barren: { ...barren, generations } });
  if (generations < PATIENCE_GENERATIONS) return;
  turn.set({ barren: noBarren });
  // Of equally blamed ones the newest: it is likelier the one that does not fit in.
  const blamed = [...state.members].sort(
    (a, b) => (barren.blame.get(b.workerId) ?? 0) - (barren.blame.get(a.workerId) ?? 0) || b.rank - a.rank,
  )[0];
  if (!blamed) return;
  const what = `${generations} generations in a row ended without a round; the last message was: ${barren.message}`;
  if (enoughWithout(turn, blamed.workerId)) {
    turn.set({ setAside: new Map([...state.setAside, [blamed.workerId, { reason: what, forGood: true }]]) });
    dropMember(turn, blamed.workerId, what);
    turn.release(blamed.workerId, what);
    return;
  }
  const error = new RunStuckError(`The group of ${names(state.members)} is stuck: ${what}`, {
    peer: blamed.workerId,
  });
  if (!forgive(turn)) return endRun(turn, error);
  // Whoever was set aside before may have been the wrong one.
  turn.set({ setAside: new Map() });
  turn.log(
    'warn',
    `${error.message}. Trying again in ${Math.round(turn.state.formAtMs - atMs)} ms (${plan.runId}).`,
  );
}

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
  for (const workerId of turn.state.engaged) turn.release(workerId, reason);
  turn.set({ phase: 'ended', members: [], halt: undefined, joinAtMs: undefined });
  turn.command({ type: 'end', result });
}

function names(members: readonly Member[]): string {
  return members.map((member) => `worker ${member.workerId}`).join(', ');
}
