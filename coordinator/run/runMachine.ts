// The run as a state machine: (state, input) → [state, commands]. It decides; it opens no socket, sets no timer and
// reads no clock. coordinator/run/runDriver.ts binds it to the pool, time and the blob store.

import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import type { RunMessage } from '../pool/poolWorker.ts';
import { announceRounds, recordRound, recordTiming } from './commitRecord.ts';
import { canForm, formGroup } from './formation.ts';
import { endRun, forgive, onHaltDeadline, onHalted, outcome, roundPatienceMs, startHalt } from './halting.ts';
import { absenceEndsAtMs, awaitNewcomers, giveUpAbsent, lookAtAgain, onWorkers } from './membership.ts';
import { WorkerFailedError } from './runErrors.ts';
import { recordedRounds } from './runState.ts';
import type { Member, RunCommand, RunInput, RunPlan, RunState } from './runState.ts';
import { betterWeights } from './speed.ts';
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
        absenceEndsAtMs(new Turn(plan, state, 0)),
      );
    case 'training':
      return Math.min(
        state.roundSinceMs + roundPatienceMs(new Turn(plan, state, 0)),
        state.joinAtMs ?? Infinity,
        absenceEndsAtMs(new Turn(plan, state, 0)),
      );
    case 'halting':
      return state.halt?.deadlineMs ?? Infinity;
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
  blame(turn, ids, `${ids.join(', ')} ${what}`);
  startHalt(turn, 'now', `${ids.join(', ')} ${what}`, true);
}

function blame(turn: Turn, workerIds: readonly string[], message: string): void {
  const { barren } = turn.state;
  const votes = new Map(barren.blame);
  for (const workerId of workerIds) votes.set(workerId, (votes.get(workerId) ?? 0) + 1);
  turn.set({ barren: { ...barren, blame: votes, message } });
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
  const member = turn.member(workerId);
  if (!member || message.generation !== turn.state.generation) return;
  switch (message.type) {
    case 'loading':
      return onLoading(turn, member, message);
    case 'ready':
      return onReady(turn, member);
    case 'committed':
      return onCommitted(turn, member, message);
    case 'finished':
      return onFinished(turn, member, message);
    case 'saved':
      return onSaved(turn, message);
    case 'profiled': {
      const { sha256, sizeBytes } = message;
      return turn.emit({ type: 'profiled', sha256, sizeBytes });
    }
    case 'stalled':
      return onStalled(turn, member, message);
    case 'halted':
      return onHalted(turn, workerId, message);
    case 'failed':
      return onFailed(turn, member, message);
  }
}

function onLoading(turn: Turn, member: Member, message: WorkerMessageOf<'loading'>): void {
  if (turn.state.phase !== 'loading') return;
  turn.setMember(member.workerId, { rowsLoaded: message.rowsLoaded, progressAtMs: turn.atMs });
  const { members } = turn.state;
  const rowsTotal = turn.plan.shards.reduce((rows, shard) => rows + shard.rows, 0);
  turn.emit({
    type: 'loading',
    rowsLoaded: members.reduce((rows, one) => rows + one.rowsLoaded, 0),
    rowsTotal,
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
  awaitNewcomers(turn);
}

function onCommitted(turn: Turn, member: Member, message: WorkerMessageOf<'committed'>): void {
  const { phase } = turn.state;
  if (phase !== 'training' && phase !== 'halting') return;
  const committedRounds = Math.max(member.committedRounds, message.round + 1);
  turn.setMember(member.workerId, { committedRounds, hasWorked: true });
  turn.set({ progressAtMs: turn.atMs });
  recordTiming(turn, member.workerId, message);
  if (member.rank === 0) {
    const { round, trees, metrics = {} } = message;
    const due = recordedRounds(turn.state);
    if (turn.plan.kind.recordsEveryRound && (round > due || !trees)) {
      return startHalt(turn, 'now', `round ${due} did not arrive from worker ${member.workerId}`);
    }
    recordRound(turn, { round, trees: trees ?? [], metrics });
  }
  announceRounds(turn, false);
  if (turn.state.isComplete) return onComplete(turn);
  if (phase === 'training') considerMove(turn);
}

/** The record has all that is wanted. Where the members hold the state, they store it first. */
function onComplete(turn: Turn): void {
  const { plan, state } = turn;
  const isStored = plan.kind.recordsEveryRound || (state.savedState?.rounds ?? 0) >= recordedRounds(state);
  if (isStored) return endRun(turn, outcome(turn, 'finished'));
  startHalt(turn, 'commit', 'the run is complete');
}

/** State that is safe from the loss of all members. */
function onSaved(turn: Turn, { rounds, sha256, sizeBytes }: WorkerMessageOf<'saved'>): void {
  if (rounds <= (turn.state.savedState?.rounds ?? -1)) return;
  const savedState = { rounds, sha256, sizeBytes };
  turn.set({ savedState, progressAtMs: turn.atMs });
  turn.emit({ type: 'checkpoint', ...savedState });
}

/** The owner's loop returned. The first rank speaks for all: what it committed has been recorded before. */
function onFinished(turn: Turn, member: Member, message: WorkerMessageOf<'finished'>): void {
  const { phase } = turn.state;
  const isAtWork = phase === 'training' || phase === 'halting';
  if (!isAtWork || member.rank !== 0 || message.rounds !== recordedRounds(turn.state)) return;
  endRun(turn, outcome(turn, 'finished'));
}

/** Once all members have told their time of a round, now and then, looks whether shards should move. */
function considerMove(turn: Turn): void {
  const { state, plan } = turn;
  if (!plan.kind.leasesShards || state.announcedRounds < state.record.length) return;
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
  const others = message.missing.filter((workerId) => turn.member(workerId));
  blame(turn, others.length > 0 ? others : [member.workerId], `${message.code}: ${message.message}`);
  const about = others.length > 0 ? ` (missing: ${others.join(', ')})` : '';
  turn.log('warn', `Worker ${member.workerId} stalled${about}: ${message.code}: ${message.message}`);
  startHalt(turn, 'now', `worker ${member.workerId} stalled: ${message.code}`, true);
}

function onFailed(turn: Turn, member: Member, message: WorkerMessageOf<'failed'>): void {
  const { workerId } = member;
  const text = `Worker ${workerId} can't do the run: ${message.code}: ${message.message}`;
  if (!forgive(turn)) return endRun(turn, new WorkerFailedError(text, { peer: workerId }));
  turn.log('warn', `${text} (forgiven: ${turn.state.failures} of ${turn.plan.maxFailures})`);
  startHalt(turn, 'now', text);
}
