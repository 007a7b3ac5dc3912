// The run as a state machine: (state, input) → [state, commands]. It decides; it opens no socket, sets no timer and
// reads no clock. coordinator/run/runDriver.ts binds it to the pool, time and the blob store.

import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import type { RunMessage } from '../pool/poolWorker.ts';
import { announceRounds } from './commitRecord.ts';
import { endRun, outcome } from './ending.ts';
import { takeFailure } from './failures.ts';
import { canForm, formGroup } from './formation.ts';
import {
  checkHalted,
  endByFinish,
  giveUpSilent,
  haltFor,
  onHaltDeadline,
  onHalted,
  roundPatienceMs,
  startHalt,
} from './halting.ts';
import { absenceEndsAtMs, awaitNewcomers, giveUpAbsent, lookAtAgain, onWorkers } from './membership.ts';
import { takeVote, withheld } from './roundAgreement.ts';
import { silenceEndsAtMs } from './patience.ts';
import { recordedRounds } from './runState.ts';
import type { Member, RunCommand, RunInput, RunPlan, RunState } from './runState.ts';
import { betterWeights } from './speed.ts';
import { accuse, COORDINATOR } from './stalls.ts';
import { checkBlob, isStored, takeBlob, takeState } from './stateAgreement.ts';
import { Turn } from './turn.ts';

/** Rounds between two looks at whether shards should move for speed. */
const ROUNDS_BETWEEN_MOVES = 10;

export function stepRun(
  plan: RunPlan,
  state: RunState,
  input: RunInput,
): readonly [RunState, readonly RunCommand[]] {
  if (state.phase === 'ended') return [state, []];
  const turn = new Turn(plan, state, input.atMs);
  switch (input.type) {
    case 'workers':
      onWorkers(turn, input.workers, input.lost);
      break;
    case 'message':
      onMessage(turn, input.workerId, input.message);
      break;
    case 'tick':
      onTick(turn);
      break;
    case 'blob':
      haltFor(turn, takeBlob(turn, input));
      goOn(turn);
      break;
    case 'stop':
      onStop(turn, input.reason);
      break;
    case 'fail':
      endRun(turn, input.error);
      break;
  }
  return [turn.state, turn.commands];
}

/** When the machine wants to be woken by a tick, or Infinity when only messages can move it. */
export function wakeAtMs(plan: RunPlan, state: RunState): number {
  switch (state.phase) {
    case 'waiting':
      return canForm(new Turn(plan, state, 0)) ? state.formAtMs : Infinity;
    case 'loading':
      return Math.min(
        plan.timing.loadIdleMs + Math.min(...late(state).map((member) => member.progressAtMs)),
        silenceEndsAtMs(plan, state),
        absenceEndsAtMs(new Turn(plan, state, 0)),
      );
    case 'training':
      return Math.min(
        state.roundSinceMs + roundPatienceMs(new Turn(plan, state, 0)),
        state.joinAtMs ?? Infinity,
        state.withheldAtMs ?? Infinity,
        absenceEndsAtMs(new Turn(plan, state, 0)),
      );
    case 'halting':
      return Math.min(state.halt?.deadlineMs ?? Infinity, silenceEndsAtMs(plan, state));
    case 'ended':
      break;
  }
  return Infinity;
}

function late(state: RunState): Member[] {
  return state.members.filter((member) => !member.ready);
}

function onTick(turn: Turn): void {
  const { plan, state, atMs } = turn;
  if (atMs < wakeAtMs(plan, state)) return;
  switch (state.phase) {
    case 'waiting':
      return formGroup(turn);
    case 'loading':
      if (atMs >= absenceEndsAtMs(turn)) return giveUpAbsent(turn);
      if (atMs >= silenceEndsAtMs(plan, state)) return giveUpSilent(turn);
      return giveUpOn(
        turn,
        late(state).filter((member) => atMs >= member.progressAtMs + plan.timing.loadIdleMs),
        `made no progress in loading for ${plan.timing.loadIdleMs} ms`,
      );
    case 'training':
      if (state.joinAtMs !== undefined && atMs >= state.joinAtMs) {
        turn.set({ joinAtMs: undefined });
        return startHalt(turn, 'commit', 'a worker joins');
      }
      if (atMs >= absenceEndsAtMs(turn)) return giveUpAbsent(turn);
      if (state.withheldAtMs !== undefined && atMs >= state.withheldAtMs) return giveUpOnFirst(turn);
      return giveUpOn(turn, behind(state), `committed no round for ${Math.round(roundPatienceMs(turn))} ms`);
    case 'halting':
      return onHaltDeadline(turn);
    case 'ended':
      return undefined;
  }
}

function behind(state: RunState): Member[] {
  const least = Math.min(...state.members.map((member) => member.committedRounds));
  return state.members.filter((member) => member.committedRounds === least);
}

function giveUpOn(turn: Turn, members: readonly Member[], what: string): void {
  const ids = members.map((member) => member.workerId);
  accuse(turn, COORDINATOR, ids, `${ids.join(', ')} ${what}`);
  startHalt(turn, 'now', `${ids.join(', ')} ${what}`, true);
}

/** Most members agree on a round, and the first rank does not tell what it alone tells. */
function giveUpOnFirst(turn: Turn): void {
  const first = turn.state.members.find((member) => member.rank === 0);
  if (first) haltFor(turn, withheld(turn, first.workerId, recordedRounds(turn.state)));
}

function onStop(turn: Turn, reason: string): void {
  const { phase } = turn.state;
  turn.set({ stopReason: reason });
  if (phase === 'training') startHalt(turn, 'commit', `the run is stopped: ${reason}`);
  else if (phase !== 'halting') endRun(turn, outcome(turn, 'stopped'));
}

function onMessage(turn: Turn, workerId: string, message: RunMessage): void {
  if (message.runId !== turn.plan.runId) return;
  const wasAside = turn.state.setAside.has(workerId);
  lookAtAgain(turn, workerId);
  if (wasAside && turn.state.phase === 'waiting') formGroup(turn);
  if (wasAside && turn.state.phase === 'training') awaitNewcomers(turn);
  if (message.type === 'prepared') return onPrepared(turn, workerId);
  if (message.generation !== turn.state.generation) return;
  const member = heard(turn, workerId);
  if (!member) return;
  switch (message.type) {
    case 'loading':
      return onLoading(turn, member, message);
    case 'ready':
      return onReady(turn, member);
    case 'committed':
      return onCommitted(turn, member, message);
    case 'finished':
      return onFinished(turn, member, message);
    case 'state':
    case 'saved':
      return onState(turn, member, message);
    case 'profiled':
      return onProfiled(turn, member, message);
    case 'stalled':
      return onStalled(turn, member, message);
    case 'halted':
      return onHalted(turn, member, message);
    case 'failed':
      return haltFor(turn, takeFailure(turn, member, message));
  }
}

/** A newcomer can take its place at once. */
function onPrepared(turn: Turn, workerId: string): void {
  const asked = turn.state.prepared.get(workerId);
  if (!asked || asked.isDone) return;
  turn.set({ prepared: new Map([...turn.state.prepared, [workerId, { ...asked, isDone: true }]]) });
  if (turn.state.phase === 'training') awaitNewcomers(turn);
}

/** Notes the first word of a member in this generation. */
function heard(turn: Turn, workerId: string): Member | undefined {
  if (turn.member(workerId)?.heardAfterMs === undefined)
    turn.setMember(workerId, { heardAfterMs: turn.atMs - turn.state.formedAtMs });
  return turn.member(workerId);
}

function onLoading(turn: Turn, member: Member, message: WorkerMessageOf<'loading'>): void {
  if (turn.state.phase !== 'loading') return;
  // To say the same again is no progress.
  const rowsLoaded = Math.min(message.rowsLoaded, member.rows);
  if (rowsLoaded <= member.rowsLoaded) return;
  turn.setMember(member.workerId, { rowsLoaded, progressAtMs: turn.atMs });
  turn.emit({
    type: 'loading',
    rowsLoaded: turn.state.members.reduce((rows, one) => rows + Math.max(0, one.rowsLoaded), 0),
    rowsTotal: turn.plan.totalRows,
  });
}

function onReady(turn: Turn, member: Member): void {
  if (turn.state.phase !== 'loading') return;
  turn.setMember(member.workerId, { ready: true, progressAtMs: turn.atMs });
  const { members, generation } = turn.state;
  if (members.some((one) => !one.ready)) return;
  turn.set({
    phase: 'training',
    roundSinceMs: turn.atMs,
    progressAtMs: turn.atMs,
    roster: members.map((one) => one.workerId),
  });
  for (const { workerId } of members)
    turn.send(workerId, { type: 'begin', runId: turn.plan.runId, generation });
  // A group that was formed only to store the state has nothing else to do.
  if (turn.state.isComplete) return onComplete(turn);
  awaitNewcomers(turn);
}

function onCommitted(turn: Turn, member: Member, message: WorkerMessageOf<'committed'>): void {
  const { phase } = turn.state;
  if (phase !== 'training' && phase !== 'halting') return;
  haltFor(turn, takeVote(turn, member, message));
  announceRounds(turn, false);
  endByFinish(turn);
  if (turn.state.isComplete) return onComplete(turn);
  if (turn.state.phase === 'training') considerMove(turn);
}

/** The record has all that is wanted. Where the members hold the state, they store it first. */
function onComplete(turn: Turn): void {
  const { phase, blobChecks } = turn.state;
  if (phase !== 'training' && phase !== 'halting') return;
  if (isStored(turn)) return endRun(turn, outcome(turn, 'finished'));
  // Whether what was stored is there is known soon.
  if (blobChecks === 0) startHalt(turn, 'commit', 'the run is complete');
}

/** After an answer from the blob store: what had to wait for it. */
function goOn(turn: Turn): void {
  const { phase, isComplete } = turn.state;
  if (phase === 'halting') checkHalted(turn);
  else if (phase === 'training' && isComplete) onComplete(turn);
}

/** State that may be kept for the case that all members are lost, and for the end. */
function onState(
  turn: Turn,
  member: Member,
  message: WorkerMessageOf<'saved'> | WorkerMessageOf<'state'>,
): void {
  const { phase } = turn.state;
  if (phase !== 'training' && phase !== 'halting') return;
  haltFor(turn, takeState(turn, member, message, message.type === 'saved'));
}

/** Once a generation, from the first rank, where the owner asked. */
function onProfiled(turn: Turn, member: Member, message: WorkerMessageOf<'profiled'>): void {
  const { plan, state } = turn;
  const { workerId, rank } = member;
  if (!plan.isProfiled || rank > 0 || state.profiledGeneration === state.generation)
    return turn.malformed(workerId, 'profiled: nobody asked for it');
  turn.set({ profiledGeneration: state.generation });
  const { sha256, sizeBytes } = message;
  checkBlob(turn, { what: 'profile', workerId, rounds: 0, sha256, sizeBytes });
}

/** The owner's loop returned at a member. */
function onFinished(turn: Turn, { workerId }: Member, { rounds }: WorkerMessageOf<'finished'>): void {
  const { phase, finished } = turn.state;
  if (phase !== 'training' && phase !== 'halting') return;
  turn.set({ finished: new Map([...finished, [workerId, rounds]]) });
  endByFinish(turn);
  if (turn.state.isComplete) onComplete(turn);
}

/** Once all members have told their time of a round, now and then, looks whether shards should move. */
function considerMove(turn: Turn): void {
  const { state, plan } = turn;
  if (!plan.movesShards || state.announcedRounds < state.record.length) return;
  if (state.record.length - state.planChangedAtRound < ROUNDS_BETWEEN_MOVES) return;
  const measured = state.members.map(({ workerId, leases }) => ({
    workerId,
    leases,
    msPerRow: state.msPerRow.get(workerId) ?? 0,
  }));
  turn.set({ planChangedAtRound: state.record.length });
  const weights = betterWeights(plan.shards, measured, plan.totalRounds - state.record.length);
  if (!weights) return;
  turn.set({ weights });
  startHalt(turn, 'commit', 'shards move from slower to faster workers');
}

function onStalled(turn: Turn, member: Member, message: WorkerMessageOf<'stalled'>): void {
  // While the group ends, links close earlier here than there: that is nobody's fault.
  if (turn.state.phase === 'halting') return startHalt(turn, 'now', 'members stopped at different times');
  const { workerId } = member;
  const others = message.missing.filter((id) => id !== workerId && turn.member(id));
  const what = `${message.code}: ${message.message}`;
  accuse(turn, workerId, others.length > 0 ? others : [workerId], what);
  const about = others.length > 0 ? ` (missing: ${others.join(', ')})` : '';
  turn.log('warn', `Worker ${workerId} stalled${about}: ${what}`);
  startHalt(turn, 'now', `worker ${workerId} stalled: ${message.code}`, true);
}
