// The run as a state machine: (state, input) → [state, commands]. It decides; it opens no socket, sets no timer and
// reads no clock. coordinator/core/run/runDriver.ts binds it to the pool, time and the blob store.

import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import type { RunMessage } from '../pool/poolWorker.ts';
import type { Verdict } from '../trust/roundAudit.ts';
import { accuse } from './accusations.ts';
import { countWait } from './caution.ts';
import { announceRounds } from './commitRecord.ts';
import { disturb } from './disturbances.ts';
import { endRun, outcome } from './ending.ts';
import { takeFailure } from './failures.ts';
import { enoughWithout, formGroup } from './formation.ts';
import { checkHalted, endByFinish, haltFor, haltStalled, onHalted, startHalt } from './halting.ts';
import { liftPaused, lookAtAgain } from './lateness.ts';
import { onWorkers } from './membership.ts';
import { awaitNewcomers, onPrepared, prepareAgain } from './newcomers.ts';
import { recordCleared, takeVote } from './roundAgreement.ts';
import { endlessRound, goOnChecking, haltForFaults, takeChecked, takeVerdict } from './roundChecks.ts';
import type { RunPlan } from './runPlan.ts';
import type { Member, RunCommand, RunInput, RunState } from './runState.ts';
import { betterWeights } from './speed.ts';
import { checkBlob, isStored, takeBlob, takeState } from './stateAgreement.ts';
import { onCheckedSteps, partContradicting } from './stepTrial.ts';
import { onTick } from './ticks.ts';
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
  goOnWith(turn, liftPaused(turn));
  switch (input.type) {
    case 'workers':
      turn.set({ busy: input.busy });
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
    case 'audited':
      onAudited(turn, input.generation, input.verdict);
      break;
    case 'stop':
      onStop(turn, input.reason);
      break;
    case 'fail':
      endRun(turn, input.error);
      break;
  }
  goOnChecking(turn);
  return [turn.state, turn.commands];
}

function onAudited(turn: Turn, generation: number, verdict: Verdict): void {
  if (generation !== turn.state.generation) return;
  takeVerdict(turn, verdict);
  if (turn.state.phase === 'training') haltFor(turn, recordCleared(turn));
  announceRounds(turn, false);
  endByFinish(turn);
  if (turn.state.isComplete) return onComplete(turn);
  const endless = endlessRound(turn, verdict);
  if (endless) return endRun(turn, endless);
  haltFor(turn, haltForFaults(turn, verdict));
  if (turn.state.phase === 'halting') checkHalted(turn);
  else if (turn.state.phase === 'training') considerMove(turn);
}

function onStop(turn: Turn, reason: string): void {
  const { phase } = turn.state;
  turn.set({ stopReason: reason });
  if (phase === 'training') startHalt(turn, 'commit', `the run is stopped: ${reason}`);
  else if (phase !== 'halting') endRun(turn, outcome(turn, 'stopped'));
}

function onMessage(turn: Turn, workerId: string, message: RunMessage): void {
  if (message.runId !== turn.plan.runId) return;
  goOnWith(turn, lookAtAgain(turn, workerId));
  if (message.type === 'prepared') return onPrepared(turn, workerId, message);
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
    case 'checkedSteps':
      return onCheckedSteps(turn, member, message);
    case 'profiled':
      return onProfiled(turn, member, message);
    case 'stalled':
      return onStalled(turn, member, message);
    case 'checked':
      return haltFor(turn, takeChecked(turn, member, message));
    case 'halted':
      return onHalted(turn, member, message);
    case 'failed':
      return haltFor(turn, takeFailure(turn, member, message));
  }
}

/** Somebody may be used again. */
function goOnWith(turn: Turn, isMore: boolean): void {
  if (!isMore) return;
  if (turn.state.phase === 'waiting') formGroup(turn);
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
  const afterMs = turn.atMs - turn.state.formedAtMs;
  turn.setMember(member.workerId, {
    rowsLoaded,
    progressAtMs: turn.atMs,
    ...(rowsLoaded === member.rows && { loadedAfterMs: afterMs }),
  });
  turn.emit({
    type: 'loading',
    rowsLoaded: turn.state.members.reduce((rows, one) => rows + Math.max(0, one.rowsLoaded), 0),
    rowsTotal: turn.plan.totalRows,
  });
  meetThoseWhoGaveUp(turn);
}

function onReady(turn: Turn, member: Member): void {
  // To say it again is no progress.
  if (turn.state.phase !== 'loading' || member.ready) return;
  const loadedAfterMs = member.loadedAfterMs ?? turn.atMs - turn.state.formedAtMs;
  turn.setMember(member.workerId, {
    ready: true,
    loadedAfterMs,
    readyAfterMs: turn.atMs - turn.state.formedAtMs,
    progressAtMs: turn.atMs,
  });
  const { members, generation } = turn.state;
  if (members.some((one) => !one.ready)) return meetThoseWhoGaveUp(turn);
  turn.set({
    phase: 'training',
    begunAtMs: turn.atMs,
    ...(members.some(({ isNew }) => isNew) && { joinCostMs: turn.atMs - turn.state.formedAtMs }),
    roundSinceMs: turn.atMs,
    progressAtMs: turn.atMs,
    roster: members.map((one) => one.workerId),
    stateHolders: new Set(members.map((one) => one.workerId)),
  });
  for (const { workerId } of members)
    turn.send(workerId, { type: 'begin', runId: turn.plan.runId, generation });
  turn.log('info', formingTimes(turn.state, turn.atMs));
  // A group that was formed only to store the state has nothing else to do.
  if (turn.state.isComplete) return onComplete(turn);
  prepareAgain(turn);
  awaitNewcomers(turn);
}

/** What the group waited for: the word of all, the rows and rounds of all, the links of all. */
function formingTimes({ generation, members, formedAtMs }: RunState, atMs: number): string {
  const last = (times: readonly (number | undefined)[]): number =>
    Math.round(Math.max(0, ...times.map((ms) => ms ?? 0)));
  const heardMs = last(members.map(({ heardAfterMs }) => heardAfterMs));
  const loadedMs = last(members.map(({ loadedAfterMs }) => loadedAfterMs));
  return (
    `Generation ${generation} begins with ${members.length} members ${Math.round(atMs - formedAtMs)} ms after it was formed: ` +
    `heard of all after ${heardMs} ms, rows of all after ${loadedMs} ms`
  );
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
    isUnproven: state.workers.get(workerId)?.isUnproven,
  }));
  turn.set({ planChangedAtRound: state.record.length });
  const remaining = plan.totalRounds - state.record.length;
  const weights = betterWeights(plan.shards, measured, remaining, plan.maxUnprovenShare);
  if (!weights) return;
  turn.set({ weights });
  startHalt(turn, 'commit', 'shards move from slower to faster workers');
}

/** All rows are loaded: who could not wait for that can meet the others in another generation. */
function meetThoseWhoGaveUp(turn: Turn): void {
  const { members } = turn.state;
  if (members.some(({ loadedAfterMs }) => loadedAfterMs === undefined)) return;
  if (members.some(({ hasGivenUp }) => hasGivenUp)) startHalt(turn, 'now', 'all rows are loaded');
}

function onStalled(turn: Turn, member: Member, message: WorkerMessageOf<'stalled'>): void {
  // While the group ends, links close earlier here than there: no member is blamed for that.
  if (turn.state.phase === 'halting') return startHalt(turn, 'now', 'members stopped at different times');
  const { workerId } = member;
  if (member.hasGivenUp) return;
  const others = message.missing.filter((id) => id !== workerId && turn.member(id));
  const what = `${message.code}: ${message.message}`;
  if (isEarly(turn, others)) {
    turn.setMember(workerId, { hasGivenUp: true });
    if (turn.state.members.some(({ ready, hasGivenUp }) => !ready && !hasGivenUp)) return;
  }
  if (message.missing.length === 0) disturb(turn, workerId, what);
  for (const id of [workerId, ...others]) countWait(turn, id);
  accuse(turn, workerId, others.length > 0 ? others : [workerId], what);
  if (message.code === 'PEER_CONTRADICTS') partContradicting(turn, workerId, others);
  const about = others.length > 0 ? ` (missing: ${others.join(', ')})` : '';
  turn.log('warn', `Worker ${workerId} stalled${about}: ${what}`);
  haltStalled(turn, `worker ${workerId} stalled: ${message.code}`);
}

/**
 * Whether these may still come, so that it is too early to give up: they load their rows, for which they have their own time;
 * or no other could take their place.
 */
function isEarly(turn: Turn, workerIds: readonly string[]): boolean {
  if (turn.state.phase !== 'loading' || workerIds.length === 0) return false;
  return workerIds.every((workerId) => {
    const member = turn.member(workerId);
    return (
      member?.ready === false && (member.loadedAfterMs === undefined || !enoughWithout(turn, [workerId]))
    );
  });
}
