// Forming a group: who may take part, who does, who holds what; or why the run has to wait.

import type { Lease } from '../../../shared/protocol/control.ts';
import { joinNotBeforeMs, liftHeard, loadedNewcomers } from './lateness.ts';
import { leaseKey, planLeases } from './leasePlan.ts';
import { planSpares } from './sparePlan.ts';
import { recordedRounds } from './runState.ts';
import type { RunPlan } from './runPlan.ts';
import type { Member, RunState, RunWorker } from './runState.ts';
import { isCheckedGroup, ownersFirst } from './checkedGroup.ts';
import { checksOf } from './checkState.ts';
import { RoundVotes } from './roundVotes.ts';
import { StateVotes } from './stateVotes.ts';
import { allRows, trainRows } from './speed.ts';
import type { Turn } from './turn.ts';
import { noteEntries } from './undoRounds.ts';
import { leftOutWords, meetsLimit, withinLimit } from './unprovenLimit.ts';

/** Most members that can do something useful. */
export function mostMembers(plan: RunPlan): number {
  return Math.min(plan.workers.max, plan.usefulWorkers);
}

function leastMembers(plan: RunPlan): number {
  return Math.min(plan.workers.min, plan.usefulWorkers);
}

/**
 * Workers that could be members together now: those of the last group by rank, then the others in order of joining; whoever kept
 * back what the first rank tells comes last, after those who were told to load and have not said that they did. Of unproven
 * ones no more than their limit allows.
 */
export function eligibleWorkers({ plan, state }: Turn): readonly RunWorker[] {
  return withinLimit(plan, usableWorkers(plan, state));
}

/** The same whether they are proven or not. */
function usableWorkers(plan: RunPlan, state: RunState): RunWorker[] {
  const ranks = new Map(state.members.map((member) => [member.workerId, member.rank]));
  const rank = ({ workerId }: RunWorker): number =>
    state.withholders.has(workerId)
      ? Infinity
      : (ranks.get(workerId) ??
        (state.prepared.get(workerId)?.isDone === false ? Number.MAX_VALUE : Number.MAX_SAFE_INTEGER));
  return [...state.workers.values()]
    .filter((worker) => worker.present && worker.peerId !== undefined && !worker.leaving)
    .filter((worker) => !state.setAside.has(worker.workerId) && isWanted(plan, worker))
    .sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

function isWanted({ workers: demand }: RunPlan, worker: RunWorker): boolean {
  return (
    (demand.runtimes?.includes(worker.runtime) ?? true) &&
    (demand.device === undefined || demand.device === worker.device)
  );
}

export function canForm(turn: Turn): boolean {
  return eligibleWorkers(turn).length >= leastMembers(turn.plan);
}

export function enoughWithout(turn: Turn, workerIds: readonly string[]): boolean {
  const { plan, state } = turn;
  // Who was set aside on the word of one of these alone may come back then.
  const kept = [...state.setAside].filter(([, { accuser }]) => !workerIds.includes(accuser ?? ''));
  const usable = usableWorkers(plan, { ...state, setAside: new Map(kept) });
  const others = usable.filter(({ workerId }) => !workerIds.includes(workerId));
  return withinLimit(plan, others).length >= leastMembers(plan);
}

/** Forms a group if there are enough workers and they have settled; else waits and says for what. */
export function formGroup(turn: Turn): void {
  const least = leastMembers(turn.plan);
  if (!canForm(turn)) liftHeard(turn);
  const { plan, state, atMs } = turn;
  const eligible = eligibleWorkers(turn);
  if (eligible.length < least) {
    const reason = waitingReason(plan, state, eligible.length, least);
    if (reason !== state.waitingReason) turn.emit({ type: 'waiting', reason });
    turn.set({ phase: 'waiting', waitingReason: reason });
    // Those of the last group need not wait until others come.
    releaseLeaving(turn);
    return;
  }
  if (atMs < state.formAtMs) {
    turn.set({ phase: 'waiting' });
    return;
  }
  assignGroup(turn, chooseFrom(turn, eligible));
}

export function releaseLeaving(turn: Turn): void {
  for (const workerId of turn.state.engaged) {
    if (turn.state.workers.get(workerId)?.leaving === true) turn.release(workerId, 'the worker is leaving');
  }
}

/**
 * Those who were in the last group, and at the time for newcomers those who have loaded for a place: nobody waits for others to
 * load or to connect, who cost more than they bring when the group changes all the time. Where few are left of the group, those
 * who have loaded come too; where these are too few, everybody.
 */
function chooseFrom(turn: Turn, eligible: readonly RunWorker[]): readonly RunWorker[] {
  const { plan, state, atMs } = turn;
  const members = new Set(state.members.map(({ workerId }) => workerId));
  const isLoaded = (workerId: string): boolean => state.prepared.get(workerId)?.isDone === true;
  const left = eligible.filter(({ workerId }) => members.has(workerId));
  const known = eligible.filter(({ workerId }) => members.has(workerId) || isLoaded(workerId));
  const isEnough = (those: readonly RunWorker[]): boolean =>
    those.length > 0 &&
    those.length >= leastMembers(plan) &&
    2 * those.length >= state.groupSize &&
    meetsLimit(plan, those);
  const areMost = left.length > loadedNewcomers(state);
  if (areMost && atMs < joinNotBeforeMs(turn) && isEnough(left)) return left;
  return isEnough(known) ? known : eligible;
}

/** What each of these would hold in a group of them. */
export function leasesOf({ plan, state }: Turn, chosen: readonly RunWorker[]): Lease[][] {
  return planLeases(
    plan.kind.leasesShards ? plan.shards : [],
    chosen.map(({ workerId, isUnproven = false }) => ({
      workerId,
      isUnproven,
      weight: weightOf(state, workerId),
      holds: state.holds.get(workerId) ?? [],
      spares: state.members.find((member) => member.workerId === workerId)?.spares ?? [],
    })),
    plan.maxUnprovenShare,
  );
}

/** What each of these keeps ready of the others' shards. */
function sparesOf({ state }: Turn, chosen: readonly RunWorker[], leases: readonly Lease[][]): Lease[][] {
  const known = new Map(state.members.map(({ workerId, spares }) => [workerId, spares]));
  const holds = chosen.map(({ workerId }) => [
    ...(state.holds.get(workerId) ?? []),
    ...(known.get(workerId) ?? []),
  ]);
  return planSpares(leases, holds);
}

function assignGroup(turn: Turn, eligible: readonly RunWorker[]): void {
  const { plan, state, atMs } = turn;
  const chosen = ownersFirst(plan, eligible.slice(0, mostMembers(plan)));
  const committedRounds = recordedRounds(state);
  const leases = leasesOf(turn, chosen);
  const spares = sparesOf(turn, chosen, leases);
  const before = new Set(state.members.map((member) => member.workerId));
  const chosenIds = new Set(chosen.map((worker) => worker.workerId));
  const members = chosen.map((worker, rank): Member => ({
    workerId: worker.workerId,
    rank,
    peerId: worker.peerId ?? '',
    isOwners: worker.isOwners,
    session: worker.session,
    leases: leases[rank] ?? [],
    spares: spares[rank] ?? [],
    rows: allRows(leases[rank] ?? []),
    trainRows: trainRows(leases[rank] ?? []),
    isPromised: isPromised(state, worker.workerId, leases[rank] ?? []),
    holdsState: state.stateHolders.has(worker.workerId),
    isNew: before.size > 0 && !before.has(worker.workerId),
    ready: false,
    rowsLoaded: -1,
    heardAfterMs: undefined,
    loadedAfterMs: undefined,
    readyAfterMs: undefined,
    haltedAfterMs: undefined,
    progressAtMs: atMs,
    hasGivenUp: false,
    committedRounds,
    toldRounds: committedRounds,
    toldState: 0,
    toldChecks: 0,
    agreedRounds: Math.min(state.agreed.get(worker.workerId) ?? 0, committedRounds),
    hasWorked: false,
    halted: false,
  }));
  const generation = state.generation + 1;
  const checks = checksOf(plan, members, committedRounds);
  turn.set({
    phase: 'loading',
    generation,
    members,
    engaged: new Set([...state.engaged, ...members.map((member) => member.workerId)]),
    holds: new Map([...state.holds, ...members.map((member) => [member.workerId, member.leases] as const)]),
    // Who loads goes on with it.
    prepared: new Map([...state.prepared].filter(([workerId]) => !chosenIds.has(workerId))),
    groupSize: members.length,
    group: chosenIds,
    formedAtMs: atMs,
    begunAtMs: undefined,
    roster: [],
    votes: new RoundVotes(),
    states: new StateVotes(),
    checks,
    places: members.map(({ workerId }) => workerId),
    heard: new Map(),
    differing: new Map(),
    finished: new Map(),
    stepChecks: { ...state.stepChecks, passed: 0, trial: undefined, entries: noteEntries(state, members) },
    waits: new Map(),
    withheldAtMs: undefined,
    recordAtFormation: committedRounds,
    planChangedAtRound: committedRounds,
    waitingReason: undefined,
    halt: undefined,
    joinAtMs: undefined,
    awaySinceMs: undefined,
  });
  for (const { workerId } of members) {
    if (generation > 1 && !before.has(workerId)) turn.emit({ type: 'workerJoined', workerId });
  }
  const { record, savedState } = state;
  turn.command({
    type: 'assign',
    generation,
    members,
    // The record grows on before the command is carried out.
    rounds: record.slice(),
    committedRounds,
    isChecked: (checks.isOn && !checks.areAlone) || isCheckedGroup(plan, members),
    savedState,
  });
  for (const workerId of state.engaged) {
    if (!chosenIds.has(workerId) && !turn.state.prepared.has(workerId))
      turn.release(workerId, 'the group goes on without this worker');
  }
  const note = groupNote(plan, state, chosen.length);
  const rowsToTrain = trainRows(plan.shards);
  turn.emit({
    type: 'group',
    generation,
    workers: chosen.map((worker, i) => ({
      workerId: worker.workerId,
      runtime: worker.runtime,
      device: worker.deviceName,
      rows: plan.kind.leasesShards ? trainRows(leases[i] ?? []) : Math.round(rowsToTrain / chosen.length),
    })),
    ...(note !== undefined && { note }),
  });
}

/** Whether the worker has said that it holds all of these. */
function isPromised({ prepared, holds }: RunState, workerId: string, leases: readonly Lease[]): boolean {
  if (prepared.get(workerId)?.isDone !== true) return false;
  const held = new Set((holds.get(workerId) ?? []).map(leaseKey));
  return leases.every((lease) => held.has(leaseKey(lease)));
}

/** A measured worker's weight; others count as the median of those. */
function weightOf(state: RunState, workerId: string): number {
  const known = [...state.weights.values()].sort((a, b) => a - b);
  return state.weights.get(workerId) ?? known[Math.floor(known.length / 2)] ?? 1;
}

function groupNote(plan: RunPlan, state: RunState, members: number): string | undefined {
  const leftOut = leftOutWords(plan, usableWorkers(plan, state));
  const notes = [usefulNote(plan, members), leftOut === undefined ? undefined : `Left out: ${leftOut}.`];
  return notes.filter((note) => note !== undefined).join(' ') || undefined;
}

function usefulNote(plan: RunPlan, members: number): string | undefined {
  const useful = plan.usefulWorkers;
  if (plan.workers.max <= useful || members < useful) return undefined;
  const [have, piece] = plan.kind.leasesShards
    ? ['The training set has', 'shard']
    : ['A step has', 'microbatch'];
  const pieces = useful === 1 ? piece : piece === 'shard' ? 'shards' : 'microbatches';
  return `${have} ${useful} ${pieces}, so no more than ${useful} of up to ${plan.workers.max} workers take part.`;
}

function waitingReason(plan: RunPlan, state: RunState, here: number, least: number): string {
  const { runtimes, device } = plan.workers;
  const wanted = [runtimes?.join(' or '), device].filter((word) => word !== undefined).join(' ');
  const missing = least - here;
  const need = `Waiting for ${missing} more ${wanted === '' ? '' : `${wanted} `}${missing === 1 ? 'worker' : 'workers'} (${here} of ${least} here)`;
  const notes: string[] = [];
  const workers = [...state.workers.values()];
  const count = (what: string, among: number): void => {
    if (among > 0) notes.push(`${among} ${what}`);
  };
  count('of another kind', workers.filter((worker) => !isWanted(plan, worker)).length);
  count('leaving', workers.filter((worker) => worker.leaving).length);
  count('out of reach, perhaps for a moment', workers.filter((worker) => !worker.present).length);
  count('starting', workers.filter((worker) => worker.present && worker.peerId === undefined).length);
  count('at work for other runs or programs', state.busy);
  const leftOut = leftOutWords(plan, usableWorkers(plan, state));
  if (leftOut !== undefined) notes.push(leftOut);
  for (const [workerId, { reason }] of state.setAside)
    if (state.workers.has(workerId)) notes.push(`${workerId} set aside: ${reason}`);
  return notes.length === 0 ? `${need}.` : `${need}; besides: ${notes.join(', ')}.`;
}
