// A run that an earlier life of the coordinator left behind, as the run machine goes on with it: as if every member's
// socket had been lost at the same moment. Members worked on meanwhile, so they are asked for what they committed.

import { checksOf } from './checkState.ts';
import { runKindOf } from './runKinds.ts';
import { initialRunState, recordedRounds } from './runState.ts';
import type { RunPlan } from './runPlan.ts';
import type { Member, RunState } from './runState.ts';
import type { SavedMember, SavedRun } from './runRecord.ts';
import type { Shard } from './runRequest.ts';
import { allRows, trainRows } from './speed.ts';

/** No socket of this life has that number: every return counts as one. */
const SESSION_OF_EARLIER_LIFE = 0;

export function resumedRunState(saved: SavedRun, plan: RunPlan, atMs: number): RunState {
  const { request, generation, rounds, announcedRounds } = saved;
  const committed = recordedRounds({ record: rounds });
  const members = saved.members.map((member, rank) => restore(member, rank, request.shards, atMs));
  return {
    ...initialRunState([...rounds]),
    phase: members.length > 0 ? 'training' : 'waiting',
    generation,
    members,
    checks: checksOf(plan, members, committed),
    groupSize: members.length,
    group: new Set(members.map((member) => member.workerId)),
    stateHolders: new Set(members.map((member) => member.workerId)),
    formedAtMs: atMs,
    begunAtMs: members.length > 0 ? atMs : undefined,
    places: members.map((member) => member.workerId),
    engaged: new Set(members.map((member) => member.workerId)),
    holds: new Map(members.map((member) => [member.workerId, member.leases])),
    savedState: saved.savedState,
    isComplete: committed >= runKindOf(request.spec).totalRounds(request.spec),
    recordAtFormation: committed,
    announcedRounds,
    planChangedAtRound: committed,
    roundSinceMs: atMs,
    progressAtMs: atMs,
    waitingReason:
      members.length > 0
        ? `The coordinator was restarted; waiting for its group of ${members.length} to come back.`
        : undefined,
  };
}

function restore(
  { workerId, peerId, isStranger, shards: positions }: SavedMember,
  rank: number,
  shards: readonly Shard[],
  atMs: number,
): Member {
  const leases = positions.flatMap((position) => shards[position] ?? []);
  return {
    workerId,
    rank,
    peerId,
    isOwners: isStranger !== true,
    session: SESSION_OF_EARLIER_LIFE,
    leases,
    spares: [],
    rows: allRows(leases),
    trainRows: trainRows(leases),
    ready: true,
    rowsLoaded: 0,
    isPromised: false,
    isNew: false,
    holdsState: true,
    heardAfterMs: 0,
    loadedAfterMs: 0,
    readyAfterMs: 0,
    haltedAfterMs: undefined,
    progressAtMs: atMs,
    hasGivenUp: false,
    // What it tells first may be of rounds that are recorded: its socket may have been away for longer.
    committedRounds: 0,
    toldRounds: 0,
    toldState: 0,
    toldChecks: 0,
    // What it holds is not known to be the record's: it takes the record's rounds.
    agreedRounds: 0,
    hasWorked: true,
    halted: false,
  };
}
