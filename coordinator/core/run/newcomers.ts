// Workers that are not members yet: they load what a place would need while the group works on, and interrupt it only then.
// Who does not load what it was told to gives its turn to the next.

import type { Lease, WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { eligibleWorkers, leasesOf, mostMembers } from './formation.ts';
import { joinNotBeforeMs, setAsideLate } from './lateness.ts';
import { longestLoadMs } from './loadingPatience.ts';
import { recordedRounds } from './runState.ts';
import type { RunState, RunWorker } from './runState.ts';
import type { Turn } from './turn.ts';

/** Plans the interruption for workers that are not members yet, when it is worth it. */
export function awaitNewcomers(turn: Turn): void {
  const { state, plan, atMs } = turn;
  const newcomers = eligibleWorkers(turn).filter((worker) => !turn.member(worker.workerId));
  const isWorth = recordedRounds(state) < plan.totalRounds - 1 && state.members.length < mostMembers(plan);
  if (newcomers.length === 0 || !isWorth) return turn.set({ joinAtMs: undefined });
  if (!prepareNewcomers(turn, newcomers)) return turn.set({ joinAtMs: undefined });
  const { settleMs, workBeforeJoinMs } = plan.timing;
  if (state.joinAtMs !== undefined) return;
  turn.set({ joinAtMs: Math.max(atMs + Math.max(settleMs, workBeforeJoinMs), joinNotBeforeMs(turn)) });
}

/**
 * Has newcomers load what they would hold in the next group, while this one works on.
 * @returns whether one of them has: before that, the group is not interrupted for them.
 */
function prepareNewcomers(turn: Turn, newcomers: readonly RunWorker[]): boolean {
  const next = eligibleWorkers(turn).slice(0, mostMembers(turn.plan));
  const isAsked = ({ workerId, session }: RunWorker): boolean => {
    const known = turn.state.prepared.get(workerId);
    return known !== undefined && (known.isDone || known.session === session);
  };
  // Plans of many shards take a while, and the pool changes often.
  const wanting = next.some((worker) => !turn.member(worker.workerId) && !isAsked(worker));
  const leases = wanting ? leasesOf(turn, next) : [];
  for (const [rank, worker] of next.entries()) {
    const { workerId, session } = worker;
    if (turn.member(workerId) || isAsked(worker)) continue;
    const { state, plan, atMs } = turn;
    const wanted = leases[rank] ?? [];
    const deadlineMs = atMs + longestLoadMs(plan, wanted);
    turn.set({
      prepared: new Map([...state.prepared, [workerId, { session, isDone: false, deadlineMs }]]),
      holds: new Map([...state.holds, [workerId, wanted]]),
      engaged: new Set([...state.engaged, workerId]),
    });
    prepare(turn, worker, wanted);
  }
  return newcomers.some(({ workerId }) => turn.state.prepared.get(workerId)?.isDone === true);
}

/** Has a worker load for a place, and it and the members connect to each other meanwhile. */
function prepare(turn: Turn, { workerId, peerId = '' }: RunWorker, leases: readonly Lease[]): void {
  const { generation, members, workers, record, agreed } = turn.state;
  turn.command({
    type: 'prepare',
    workerId,
    peerId,
    generation,
    leases,
    members: members.filter((member) => workers.get(member.workerId)?.present === true),
    // The record grows on before the command is carried out.
    rounds: record.slice(),
    agreedRounds: Math.min(agreed.get(workerId) ?? 0, recordedRounds(turn.state)),
  });
}

/** The group has changed while newcomers wait: what they would hold has too, and whom they would be connected to. */
export function prepareAgain(turn: Turn): void {
  const next = eligibleWorkers(turn).slice(0, mostMembers(turn.plan));
  const waiting = next.filter(({ workerId }) => turn.state.prepared.get(workerId)?.isDone === true);
  if (waiting.length === 0) return;
  const leases = leasesOf(turn, next);
  for (const worker of waiting) {
    const wanted = leases[next.indexOf(worker)] ?? [];
    const { prepared } = turn.state;
    const known = prepared.get(worker.workerId);
    if (!known) continue;
    turn.set({ prepared: new Map([...prepared, [worker.workerId, { ...known, wanted }]]) });
    prepare(turn, worker, wanted);
  }
}

/** A newcomer can take its place at once, or says why it can't. */
export function onPrepared(turn: Turn, workerId: string, { error }: WorkerMessageOf<'prepared'>): void {
  const asked = turn.state.prepared.get(workerId);
  if (!asked) return;
  if (asked.isDone) {
    // Asked again, it has what it was asked for then; what it had before is still known to be there otherwise.
    if (!error && asked.wanted) turn.set({ holds: new Map([...turn.state.holds, [workerId, asked.wanted]]) });
    return;
  }
  if (error) {
    turn.log('warn', `Worker ${workerId} could not load for a place: ${error.code}: ${error.message}`);
    giveTurnAway(turn, workerId, `could not load for a place: ${error.code}: ${error.message}`, true);
  } else {
    turn.set({ prepared: new Map([...turn.state.prepared, [workerId, { ...asked, isDone: true }]]) });
  }
  if (turn.state.phase === 'training') awaitNewcomers(turn);
}

/** When the first newcomer has not answered for so long that it will not. */
export function preparationEndsAtMs({ prepared }: RunState): number {
  const open = [...prepared.values()].filter(({ isDone }) => !isDone);
  return Math.min(...open.map(({ deadlineMs }) => deadlineMs));
}

/** Asks others in place of newcomers that have not answered in time. */
export function giveUpUnprepared(turn: Turn): void {
  for (const [workerId, { isDone, deadlineMs }] of turn.state.prepared) {
    if (isDone || turn.atMs < deadlineMs) continue;
    giveTurnAway(turn, workerId, 'did not load for a place in time', false);
  }
  awaitNewcomers(turn);
}

function giveTurnAway(turn: Turn, workerId: string, reason: string, isHeard: boolean): void {
  turn.command({ type: 'unclaim', workerId });
  turn.set({ prepared: new Map([...turn.state.prepared].filter(([id]) => id !== workerId)) });
  setAsideLate(turn, workerId, reason, { isHarmless: true, isHeard });
}
