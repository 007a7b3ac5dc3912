// What workers are told of a place in a group: the members of theirs, newcomers of one that may come, and members of those.

import type { CoordinatorMessage } from '../../../shared/protocol/control.ts';
import type { WorkerKeys } from '../pool/workerKeys.ts';
import type { RunCommand } from './runState.ts';

export type AssignCommand = Extract<RunCommand, { type: 'assign' }>;
export type PrepareCommand = Extract<RunCommand, { type: 'prepare' }>;

/** The run, and the hashes of its spec and of the payloads that were committed; null where there are none. */
export interface PlaceBlobs {
  readonly runId: string;
  readonly spec: string;
  readonly payloads: string | null;
}

export interface Sent {
  readonly workerId: string;
  readonly message: CoordinatorMessage;
}

/** A place for each member. @param sharesRows whether members load the rows of all. */
export function assignMessages(
  { generation, members, committedRounds, isChecked, savedState }: AssignCommand,
  { runId, spec, payloads }: PlaceBlobs,
  sharesRows: boolean,
  keys: WorkerKeys,
): Sent[] {
  const places = members.map(({ rank, workerId, peerId }) => ({ rank, workerId, peerId }));
  const workerIds = members.map(({ workerId }) => workerId);
  const linkKeys = keys.linkKeys(runId, generation, workerIds);
  const stateHolders = members.flatMap(({ rank, holdsState }) => (holdsState ? [rank] : []));
  const groupLeases = members.map((member) => [...member.leases]);
  return members.map(({ workerId, rank, leases, spares, agreedRounds }) => ({
    workerId,
    message: {
      type: 'assign',
      runId,
      generation,
      rank,
      members: places,
      linkKeys: linkKeys.get(workerId) ?? {},
      leases: [...leases],
      ...(sharesRows && { groupLeases }),
      stateHolders,
      ...(spares.length > 0 && { spares: [...spares] }),
      spec,
      committedRounds,
      agreedRounds,
      payloads,
      ...(isChecked && { isChecked }),
      ...(savedState && { savedState }),
    },
  }));
}

/** For the members whom the newcomer connects to, and then for the newcomer: a dialled member should know of the newcomer first. */
export function prepareMessages(
  { workerId, peerId, generation, leases, members, rounds, agreedRounds }: PrepareCommand,
  { runId, spec, payloads }: PlaceBlobs,
  keys: WorkerKeys,
): Sent[] {
  const known = members.map((member) => ({
    workerId: member.workerId,
    peerId: member.peerId,
    linkKey: keys.linkKeys(runId, generation, [member.workerId, workerId]).get(workerId)![member.workerId]!,
  }));
  const meetings = known.map(({ workerId: memberId, linkKey }): Sent => {
    const newcomers = [{ workerId, peerId, linkKey }];
    return { workerId: memberId, message: { type: 'meet', runId, generation, newcomers } };
  });
  const message: CoordinatorMessage = {
    type: 'prepare',
    runId,
    generation,
    spec,
    leases: [...leases],
    committedRounds: payloads === null ? 0 : rounds.length,
    agreedRounds,
    payloads,
    members: known,
  };
  return [...meetings, { workerId, message }];
}
