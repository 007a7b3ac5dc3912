// Ending a generation: by plan after a round, or at once when somebody is missing. What survivors committed and the
// coordinator has not heard of is taken into the record, so that at most the round in flight is done again.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { hearWaiting } from './accusations.ts';
import { announceRounds } from './commitRecord.ts';
import { settleDispute } from './disputes.ts';
import { endRun, names, outcome } from './ending.ts';
import { formGroup } from './formation.ts';
import { setAsideLate } from './lateness.ts';
import { roundPatienceMs, silentMembers, standsStill } from './patience.ts';
import { isChecking } from './checkState.ts';
import { goOnChecking } from './roundChecks.ts';
import { settleRounds, takeHaltedRounds, type HaltWish } from './roundAgreement.ts';
import { noFruitless } from './conduct.ts';
import { settleDiffering, takeHeard } from './differing.ts';
import { recordedRounds } from './runState.ts';
import type { Member } from './runState.ts';
import { dropMember, expel } from './setAside.ts';
import { judgeStall } from './stalls.ts';
import { isStored, settleStates } from './stateAgreement.ts';
import type { Undo } from './stepCheckState.ts';
import type { Turn } from './turn.ts';
import { applyUndo } from './undoRounds.ts';

/** Groups formed only to store the state of a complete run, before it ends without. */
const MOST_STORING_GROUPS = 2;

/** Stops the current generation. A halt in progress becomes more urgent, never less. */
export function startHalt(turn: Turn, when: 'now' | 'commit', reason: string): void {
  halt(turn, { when, reason });
}

/** Stops a generation that does not get on. */
export function haltStalled(turn: Turn, reason: string): void {
  halt(turn, { when: 'now', reason }, true);
}

/** As startHalt, where there is a reason. */
export function haltFor(turn: Turn, wish: HaltWish | undefined): void {
  if (wish) halt(turn, wish);
}

function halt(turn: Turn, { when, reason, isUrgent = false }: HaltWish, stalled = false): void {
  const { state, plan, atMs } = turn;
  if (state.phase !== 'loading' && state.phase !== 'training' && state.phase !== 'halting') return;
  // A member may have gone for whom the halt in progress waited.
  if (state.halt && (state.halt.when === 'now' || when === 'commit')) return checkHalted(turn);
  const patienceMs = when === 'now' || isUrgent ? plan.timing.haltMs : roundPatienceMs(plan, state);
  turn.set({
    phase: 'halting',
    halt: {
      when,
      reason,
      askedAtMs: atMs,
      deadlineMs: atMs + patienceMs,
      stalled: stalled || (state.halt?.stalled ?? false),
      isStandstill: state.halt?.isStandstill === true || (stalled && standsStill(plan, state, atMs)),
    },
    joinAtMs: undefined,
  });
  turn.log('info', `Halting generation ${state.generation} (${when}): ${reason}`);
  for (const member of turn.state.members) if (!member.halted) sendHalt(turn, member);
  checkHalted(turn);
}

function sendHalt(turn: Turn, member: Member): void {
  const { plan, state } = turn;
  const { halt, generation } = state;
  if (!halt) return;
  if (halt.when === 'now' && state.workers.get(member.workerId)?.present !== true) {
    return dropMember(turn, member.workerId, 'its socket is lost');
  }
  turn.send(member.workerId, {
    type: 'halt',
    runId: plan.runId,
    generation,
    when: halt.when,
    ...(halt.when === 'commit' && {
      atRounds: Math.min(plan.totalRounds, farthestRounds(turn) + 1),
      keepsState: !plan.kind.recordsEveryRound && (state.stopReason !== undefined || state.isComplete),
    }),
    knownRounds: recordedRounds(state),
    reason: halt.reason.slice(0, 500),
  });
}

/** Rounds that are committed somewhere: one more than most members tell, at most, whatever one of them claims. */
function farthestRounds({ state }: Turn): number {
  const told = state.members.map((one) => one.committedRounds).sort((a, b) => b - a);
  const ofMost = told[Math.floor(told.length / 2)] ?? 0;
  return Math.max(recordedRounds(state), Math.min(told[0] ?? 0, ofMost + 1));
}

/** A member's socket was replaced while a halt is on: the halt or its answer may be lost, so it is asked again. */
export function haltAgain(turn: Turn, workerId: string): void {
  const member = turn.member(workerId);
  if (member && !member.halted) sendHalt(turn, member);
}

export function onHalted(turn: Turn, member: Member, message: WorkerMessageOf<'halted'>): void {
  const { state } = turn;
  const { workerId } = member;
  // Asked twice, a member may answer twice.
  if (state.phase !== 'halting' || member.halted) return;
  const wrong = takeHaltedRounds(turn, member, message) ?? takeHeard(turn, member, message);
  if (wrong === undefined) {
    turn.setMember(workerId, {
      halted: true,
      haltedAfterMs: turn.atMs - (state.halt?.askedAtMs ?? turn.atMs),
      committedRounds: message.committedRounds,
    });
    hearWaiting(turn, workerId, message.missing ?? []);
  } else {
    turn.malformed(workerId, `halted: ${wrong}`);
    expel(turn, workerId, `what it says it committed can not be: ${wrong}`);
  }
  checkHalted(turn);
}

/** The time for answers is over: for all, or for those who keep the others waiting. */
export function onHaltDeadline(turn: Turn): void {
  const { state, atMs } = turn;
  const silent = state.members.filter((member) => !member.halted);
  if (state.halt?.when === 'commit' && silent.length > 0) {
    return haltStalled(turn, `no round was committed by ${names(silent)} in time`);
  }
  // Whether a blob is there is not waited for any longer.
  if (atMs >= (state.halt?.deadlineMs ?? 0)) turn.set({ blobChecks: 0 });
  const waitedMs = Math.round(atMs - (state.halt?.askedAtMs ?? atMs));
  for (const { workerId } of silent) {
    setAsideLate(turn, workerId, `did not answer a halt within ${waitedMs} ms`);
  }
  checkHalted(turn);
}

/** Goes on without those who have not said a word of this generation, though all others have. */
export function giveUpSilent(turn: Turn): void {
  const silent = silentMembers(turn.plan, turn.state, turn.atMs);
  const waitedMs = Math.round(turn.atMs - turn.state.formedAtMs);
  for (const { workerId, isPromised } of silent) {
    const reason = `said nothing for ${waitedMs} ms after it got its place`;
    setAsideLate(turn, workerId, reason, { isProven: isPromised });
  }
  startHalt(turn, 'now', `${names(silent)} said nothing`);
}

/** Goes on once everybody who is still there has answered. */
export function checkHalted(turn: Turn): void {
  const { halt, members, phase } = turn.state;
  if (phase !== 'halting' || !halt || members.some((member) => !member.halted)) return;
  const { undo } = turn.state.stepChecks;
  if (undo) return turn.state.blobChecks > 0 ? undefined : goBack(turn, undo);
  // What was made is found right or wrong first, where it is checked: the next group goes on from there.
  goOnChecking(turn);
  if (isChecking(turn.state)) return;
  const before = turn.state.record.length;
  settleRounds(turn);
  settleStates(turn);
  if (turn.state.record.length > before && askForMore(turn)) return;
  // The answer comes soon, and brings us back here.
  if (turn.state.blobChecks > 0) return;
  const isParted = settleDiffering(turn);
  announceRounds(turn, true);
  agreeOnRounds(turn);
  endByFinish(turn);
  if (turn.state.isComplete && !mayStoreAgain(turn)) return endRun(turn, outcome(turn, 'finished'));
  if (turn.state.stopReason !== undefined) return endRun(turn, outcome(turn, 'stopped'));
  if (isParted) turn.set({ fruitless: noFruitless });
  else if (!settleDispute(turn)) {
    if (halt.stalled) judgeStall(turn);
    else turn.set({ fruitless: noFruitless });
  }
  if (turn.state.phase === 'ended') return;
  turn.set({ phase: 'waiting', halt: undefined });
  formGroup(turn);
}

/** What was done since then does not count, whatever members say of it. */
function goBack(turn: Turn, undo: Undo): void {
  applyUndo(turn, undo);
  if (turn.state.stopReason !== undefined) return endRun(turn, outcome(turn, 'stopped'));
  turn.set({ phase: 'waiting', halt: undefined });
  formGroup(turn);
}

/** The run is complete when the owner's loop has returned at most members, all that they committed being recorded. */
export function endByFinish(turn: Turn): void {
  const { finished, members, isComplete } = turn.state;
  if (isComplete || finished.size === 0) return;
  const rounds = recordedRounds(turn.state);
  const votes = members.filter(({ workerId }) => finished.get(workerId) === rounds).length;
  if (2 * votes > members.length) turn.set({ isComplete: true });
}

/** The member that should have stored the last state did not: others have it too. */
function mayStoreAgain(turn: Turn): boolean {
  const { plan, state } = turn;
  if (isStored(turn) || !plan.kind.storesAfterwards || state.members.length === 0) return false;
  if (state.storingGroups >= MOST_STORING_GROUPS) return false;
  const first = state.members.filter((member) => member.rank === 0).map(({ workerId }) => workerId);
  turn.set({
    storingGroups: state.storingGroups + 1,
    withholders: new Set([...state.withholders, ...first]),
  });
  return true;
}

/** Members that began the generation have its rounds as they are recorded, lost ones too. */
function agreeOnRounds(turn: Turn): void {
  const { agreed, roster, worked, members, recordAtFormation, differing } = turn.state;
  const rounds = recordedRounds(turn.state);
  const more = rounds - recordAtFormation;
  const ofMember = (workerId: string): number => Math.min(rounds, differing.get(workerId)?.round ?? rounds);
  turn.set({
    worked: new Map([
      ...worked,
      ...members.map(({ workerId }) => [workerId, (worked.get(workerId) ?? 0) + more] as const),
    ]),
    agreed: new Map([...agreed, ...roster.map((workerId) => [workerId, ofMember(workerId)] as const)]),
  });
}

/** An answer holds a limited number of rounds: those who have more are asked for the next ones. */
function askForMore(turn: Turn): boolean {
  const { state, plan, atMs } = turn;
  const ahead = state.members.filter((member) => member.committedRounds > recordedRounds(state));
  if (ahead.length === 0 || !state.halt || state.isComplete || !plan.kind.recordsEveryRound) return false;
  turn.set({
    halt: { ...state.halt, when: 'now', askedAtMs: atMs, deadlineMs: atMs + plan.timing.haltMs },
  });
  for (const { workerId } of ahead) turn.setMember(workerId, { halted: false, haltedAfterMs: undefined });
  for (const member of ahead) sendHalt(turn, member);
  return ahead.some(({ workerId }) => turn.member(workerId));
}
