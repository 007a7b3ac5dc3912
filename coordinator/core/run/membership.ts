// Who is there: lost, returning, leaving and new workers, and what follows for the group.

import { remembered, rememberedIds } from './conduct.ts';
import { disturb } from './disturbances.ts';
import { eligibleWorkers, formGroup, mostMembers, releaseLeaving } from './formation.ts';
import { checkHalted, haltAgain, startHalt } from './halting.ts';
import { lookAtAgain } from './lateness.ts';
import { awaitNewcomers } from './newcomers.ts';
import { usualRoundMs } from './patience.ts';
import type { Member, RunState, RunWorker } from './runState.ts';
import { askAgain } from './roundChecks.ts';
import { dropMember, liftAccusationsOf } from './setAside.ts';
import type { Turn } from './turn.ts';

/** Takes note of the workers that this run may use, and of what became of its members. */
export function onWorkers(
  turn: Turn,
  workers: readonly RunWorker[],
  lost: ReadonlyMap<string, string>,
): void {
  const before = turn.state.workers;
  const now = new Map(workers.map((worker) => [worker.workerId, worker]));
  const only = <V>(map: ReadonlyMap<string, V>): Map<string, V> =>
    new Map([...map].filter(([id]) => now.has(id)));
  turn.set({
    workers: now,
    engaged: new Set([...turn.state.engaged].filter((id) => now.has(id))),
    holds: only(turn.state.holds),
    prepared: only(turn.state.prepared),
    agreed: only(turn.state.agreed),
    weights: only(turn.state.weights),
    ...rememberedOf(turn.state, now),
  });
  for (const workerId of turn.state.msPerRow.keys())
    if (!now.has(workerId)) turn.state.msPerRow.delete(workerId);
  for (const workerId of before.keys()) if (!now.has(workerId)) liftAccusationsOf(turn, workerId);
  for (const worker of workers) {
    if (before.get(worker.workerId)?.session !== worker.session) lookAtAgain(turn, worker.workerId);
  }
  const { generation } = turn.state;
  for (const { workerId } of turn.state.members) {
    const member = turn.member(workerId);
    // What became of an earlier one may have ended the generation, or formed the next.
    if (member && turn.state.generation === generation) checkMember(turn, member, now.get(workerId), lost);
  }
  if (turn.state.phase === 'halting') return checkHalted(turn);
  if (turn.state.phase === 'waiting') {
    releaseLeaving(turn);
    const isNew = ({ workerId, peerId }: RunWorker): boolean => {
      const known = before.get(workerId);
      return known?.present !== true || known.peerId !== peerId;
    };
    if (eligibleWorkers(turn).some(isNew)) settle(turn);
    return formGroup(turn);
  }
  releaseSpare(turn);
  noteAbsence(turn);
  if (turn.state.phase === 'training') awaitNewcomers(turn);
}

/** What is kept of workers that may come back, bounded. */
function rememberedOf(state: RunState, now: ReadonlyMap<string, RunWorker>): Partial<RunState> {
  const { setAside, delays, doubts, suspects, withholders, worked } = state;
  return {
    setAside: remembered(setAside, now),
    delays: remembered(delays, now),
    doubts: remembered(doubts, now),
    suspects: remembered(suspects, now),
    withholders: rememberedIds(withholders, now),
    worked: remembered(worked, now),
  };
}

/** Reacts to what became of one member of the current generation. */
function checkMember(
  turn: Turn,
  member: Member,
  worker: RunWorker | undefined,
  lost: ReadonlyMap<string, string>,
): void {
  const { workerId } = member;
  const { phase } = turn.state;
  if (!worker) {
    const reason = lost.get(workerId) ?? 'left the run';
    if (phase !== 'halting') disturb(turn, workerId, reason);
    dropMember(turn, workerId, reason);
    return startHalt(turn, 'now', `worker ${workerId} is lost: ${reason}`);
  }
  if (worker.session !== member.session && worker.present) {
    turn.setMember(workerId, { session: worker.session });
    askAgain(turn, workerId);
    if (phase === 'halting') return haltAgain(turn, workerId);
    // Only the first rank's messages carry what can't be learnt otherwise; a member that works misses none of ours.
    if (phase === 'training' && member.hasWorked && member.rank > 0) return;
    disturb(turn, workerId, 'it came back over a new socket');
    return startHalt(turn, 'now', `worker ${workerId} is back; messages may be lost`);
  }
  // Who has answered a halt is not needed until the next group is formed.
  if (phase === 'halting' && !worker.present && !member.halted) {
    const { halt } = turn.state;
    if (halt?.when === 'commit') return startHalt(turn, 'now', `worker ${workerId} is out of reach`);
    return dropMember(turn, workerId, 'its socket is lost');
  }
  if (phase === 'loading' && worker.peerId !== member.peerId) {
    disturb(turn, workerId, 'it has a new address');
    return startHalt(turn, 'now', `worker ${workerId} has a new address`);
  }
  if (!worker.leaving || phase === 'halting') return;
  const isOut = disturb(turn, workerId, 'it was leaving');
  startHalt(turn, phase === 'loading' || isOut ? 'now' : 'commit', `worker ${workerId} is leaving`);
}

/**
 * A killed worker loses its socket at once, and its peers may take long to notice: so the group is watched while somebody is
 * away. Where the sockets of most are lost they may all come back while the group works on.
 */
function noteAbsence(turn: Turn): void {
  const { members, workers, awaySinceMs } = turn.state;
  const isAway = members.some(({ workerId }) => workers.get(workerId)?.present === false);
  turn.set({ awaySinceMs: isAway ? (awaySinceMs ?? turn.atMs) : undefined });
}

/**
 * When a group that makes no progress goes on without those who are away. A socket closes when its process is killed; where
 * those of most workers do it is the coordinator's line, and they come back. How long a round may take has to be known.
 */
export function absenceEndsAtMs({ plan, state }: Turn): number {
  const { awaySinceMs, progressAtMs, phase, members, workers, lastRoundsMs } = state;
  if (awaySinceMs === undefined) return Infinity;
  const away = members.filter(({ workerId }) => workers.get(workerId)?.present === false).length;
  const present = [...workers.values()].filter((worker) => worker.present).length;
  const { awayMs, aloneAwayMs } = plan.timing;
  const isKnown = phase !== 'training' || lastRoundsMs.length > 0;
  if (away <= present && isKnown) return awaySinceMs + aloneAwayMs;
  if (phase !== 'training') return awaySinceMs + awayMs;
  return Math.max(awaySinceMs, progressAtMs + 1.5 * usualRoundMs(state)) + awayMs;
}

export function giveUpAbsent(turn: Turn): void {
  const { members, workers } = turn.state;
  const absent = members.filter(({ workerId }) => workers.get(workerId)?.present === false);
  const ids = absent.map((member) => member.workerId).join(', ');
  for (const { workerId } of absent) disturb(turn, workerId, 'it was out of reach');
  startHalt(turn, 'now', `worker ${ids} is out of reach and the group makes no progress`);
}

/** Lets those go who lost their place and came back to a full group. */
function releaseSpare(turn: Turn): void {
  if (turn.state.members.length < mostMembers(turn.plan)) return;
  for (const workerId of turn.state.engaged) {
    if (!turn.member(workerId)) turn.release(workerId, 'the group is complete without this worker');
  }
}

/** Waits a moment for more workers, unless all that can take part are here. */
function settle(turn: Turn): void {
  const { state, plan, atMs } = turn;
  if (eligibleWorkers(turn).length >= mostMembers(plan)) return;
  turn.set({ formAtMs: Math.max(state.formAtMs, atMs + plan.timing.settleMs) });
}
