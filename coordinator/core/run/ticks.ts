// Deadlines of a run: when the silence of members has to be looked at, and which of them are given up then.

import { accuse, COORDINATOR } from './accusations.ts';
import { names } from './ending.ts';
import { canForm, enoughWithout, formGroup } from './formation.ts';
import { giveUpSilent, haltFor, haltStalled, onHaltDeadline, startHalt } from './halting.ts';
import { pauseEndsAtMs, setAsideLate } from './lateness.ts';
import { absenceEndsAtMs, giveUpAbsent } from './membership.ts';
import { giveUpUnprepared, preparationEndsAtMs } from './newcomers.ts';
import { idleUntilMs, readyUntilMs, slowUntilMs } from './loadingPatience.ts';
import { earliestMs, overdue, roundPatienceMs, silenceEndsAtMs } from './patience.ts';
import { withheld } from './roundAgreement.ts';
import { checkEndsAtMs, isChecking } from './checkState.ts';
import { giveUpUnanswered } from './roundChecks.ts';
import { recordedRounds } from './runState.ts';
import { onTrialDeadline } from './stepTrial.ts';
import type { RunPlan } from './runPlan.ts';
import type { Member, RunState } from './runState.ts';
import { Turn } from './turn.ts';

/** When the machine wants to be woken by a tick, or Infinity when only messages can move it. */
export function wakeAtMs(plan: RunPlan, state: RunState): number {
  switch (state.phase) {
    case 'waiting':
      return Math.min(canForm(new Turn(plan, state, 0)) ? state.formAtMs : Infinity, pauseEndsAtMs(state));
    case 'loading':
      return Math.min(
        earliestMs(idleUntilMs(plan, state)),
        earliestMs(tooSlow(new Turn(plan, state, 0))),
        earliestMs(unready(new Turn(plan, state, 0))),
        silenceEndsAtMs(plan, state),
        absenceEndsAtMs(new Turn(plan, state, 0)),
      );
    case 'training':
      return Math.min(
        roundEndsAtMs(plan, state),
        state.joinAtMs ?? Infinity,
        state.withheldAtMs ?? Infinity,
        state.stepChecks.trial?.deadlineMs ?? Infinity,
        preparationEndsAtMs(state),
        pauseEndsAtMs(state),
        absenceEndsAtMs(new Turn(plan, state, 0)),
        checkEndsAtMs(state),
      );
    case 'halting':
      return Math.min(haltEndsAtMs(state), silenceEndsAtMs(plan, state), checkEndsAtMs(state));
    case 'ended':
      break;
  }
  return Infinity;
}

/** While rounds are found right or wrong nothing is recorded, and that is no member's fault. */
function roundEndsAtMs(plan: RunPlan, state: RunState): number {
  return isChecking(state) ? Infinity : state.roundSinceMs + roundPatienceMs(plan, state);
}

function haltEndsAtMs({ halt, members }: RunState): number {
  return members.some(({ halted }) => !halted) ? (halt?.deadlineMs ?? Infinity) : Infinity;
}

/** Slow members count where there are enough others; without these everybody would wait for them anyway. */
function tooSlow(turn: Turn): ReturnType<typeof slowUntilMs> {
  const slow = slowUntilMs(turn.plan, turn.state);
  const ids = slow.map(({ member }) => member.workerId);
  return slow.length > 0 && enoughWithout(turn, ids) ? slow : [];
}

/** The same of members that have their rows and are not ready. */
function unready(turn: Turn): ReturnType<typeof readyUntilMs> {
  const late = readyUntilMs(turn.plan, turn.state);
  // Which of them is the one is known only when all were asked.
  return turn.state.members.some(({ workerId }) => enoughWithout(turn, [workerId])) ? late : [];
}

export function onTick(turn: Turn): void {
  const { plan, state, atMs } = turn;
  if (atMs < wakeAtMs(plan, state)) return;
  switch (state.phase) {
    case 'waiting':
      return formGroup(turn);
    case 'loading':
      return onLoadingTick(turn);
    case 'training':
      return onTrainingTick(turn);
    case 'halting':
      onCheckDeadline(turn);
      if (atMs >= Math.min(haltEndsAtMs(turn.state), silenceEndsAtMs(plan, turn.state))) onHaltDeadline(turn);
      return undefined;
    case 'ended':
      return undefined;
  }
}

function onLoadingTick(turn: Turn): void {
  const { plan, state, atMs } = turn;
  if (atMs >= absenceEndsAtMs(turn)) return giveUpAbsent(turn);
  if (atMs >= silenceEndsAtMs(plan, state)) return giveUpSilent(turn);
  const slow = overdue(tooSlow(turn), atMs);
  if (slow.length > 0) return giveUpSlow(turn, slow);
  const late = overdue(unready(turn), atMs);
  if (late.length > 0) return haltStalled(turn, `${names(late)} has its rows and is not ready`);
  const idle = overdue(idleUntilMs(plan, state), atMs);
  if (idle.length > 0)
    giveUpOn(turn, idle, `made no progress in loading for ${longestIdleMs(state, idle, atMs)} ms`);
}

function onTrainingTick(turn: Turn): void {
  const { plan, state, atMs } = turn;
  if (state.joinAtMs !== undefined && atMs >= state.joinAtMs) {
    turn.set({ joinAtMs: undefined });
    return startHalt(turn, 'commit', 'a worker joins');
  }
  if (atMs >= absenceEndsAtMs(turn)) return giveUpAbsent(turn);
  if (state.stepChecks.trial && atMs >= state.stepChecks.trial.deadlineMs) return onTrialDeadline(turn);
  if (state.withheldAtMs !== undefined && atMs >= state.withheldAtMs) return giveUpOnFirst(turn);
  if (atMs >= checkEndsAtMs(state)) onCheckDeadline(turn);
  const patienceMs = roundPatienceMs(plan, state);
  if (atMs >= roundEndsAtMs(plan, state))
    return giveUpOn(turn, behind(state), `committed no round for ${Math.round(patienceMs)} ms`);
  if (atMs >= preparationEndsAtMs(state)) giveUpUnprepared(turn);
}

function onCheckDeadline(turn: Turn): void {
  const reason = giveUpUnanswered(turn);
  if (reason !== undefined) haltStalled(turn, reason);
}

/** Members that the others have got ahead of: none, where all wait for the same round. */
function behind({ members }: RunState): Member[] {
  const least = Math.min(...members.map((member) => member.committedRounds));
  return members.filter((member) => member.committedRounds === least);
}

function giveUpOn(turn: Turn, members: readonly Member[], what: string): void {
  const ids = members.map((member) => member.workerId);
  const isOfAll = members.length === turn.state.members.length;
  // What all have not done says nothing of any of them: their answers to the halt may.
  if (!isOfAll || members.length === 1) accuse(turn, COORDINATOR, ids, `${ids.join(', ')} ${what}`);
  haltStalled(turn, `${ids.join(', ')} ${what}`);
}

function longestIdleMs({ formedAtMs }: RunState, idle: readonly Member[], atMs: number): number {
  return Math.round(atMs - Math.max(formedAtMs, ...idle.map(({ progressAtMs }) => progressAtMs)));
}

/** Goes on without those whose rows take far longer than the others'. They go on loading outside the group. */
function giveUpSlow(turn: Turn, slow: readonly Member[]): void {
  const waitedMs = Math.round(turn.atMs - turn.state.formedAtMs);
  for (const { workerId, rowsLoaded, rows } of slow) {
    const reason = `loaded ${Math.max(0, rowsLoaded)} of ${rows} rows in ${waitedMs} ms, far behind the others`;
    setAsideLate(turn, workerId, reason, { isProven: true });
  }
  startHalt(
    turn,
    'now',
    `${slow.map(({ workerId }) => workerId).join(', ')} loads far slower than the others`,
  );
}

/** Most members agree on a round, and the first rank does not tell what it alone tells. */
function giveUpOnFirst(turn: Turn): void {
  const first = turn.state.members.find((member) => member.rank === 0);
  if (first) haltFor(turn, withheld(turn, first.workerId, recordedRounds(turn.state)));
}
