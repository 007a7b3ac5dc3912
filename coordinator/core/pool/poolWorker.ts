// A worker as the coordinator knows it, from its first hello until it is lost.

import type { Runtime } from '../../../shared/protocol/runtimes.ts';
import type { DeviceReport, WorkerMessage, WorkerMessageOf } from '../../../shared/protocol/control.ts';

export interface PoolWorker {
  readonly workerId: string;
  readonly name: string | undefined;
  readonly runtime: Runtime;
  readonly device: DeviceReport;
  readonly cores: number;
  readonly remoteAddress: string;
  /** The worker's PeerJS id; until it is known the worker can't be put in a group. */
  readonly peerId: string | undefined;
  /** False while its socket is lost and it may still come back. */
  readonly present: boolean;
  /** Why it wants no more work, once it said so. */
  readonly leaving: string | undefined;
  /** Counts its sockets: messages to and from an earlier one may be lost. */
  readonly session: number;
  /** Counts the joins of all workers: one that was lost and is back under its id has another, and nothing of what it held. */
  readonly life: number;
  /** The run it works for. */
  readonly runId: string | undefined;
  /** Programs that it runs; with any it takes part in no run. */
  readonly programs: number;
  /** Which programs it opens: none, those that every worker has, or those of owners too. */
  readonly takesPrograms: 'none' | 'builtin' | 'any';
  readonly joinedAtMs: number;
  /** It joined by the coordinator's own local token: it is believed. All others are strangers. */
  readonly isOwners: boolean;
  /** Checks of a stranger's work that came out right, in earlier lives of the coordinator too. */
  readonly checksPassed: number;
  /** Round trip of the last ping, in milliseconds. */
  readonly roundTripMs: number | undefined;
}

export type PoolEvent =
  /** Something about a worker changed: it joined, became available, went away, came back, is leaving, was claimed. */
  | { readonly type: 'changed'; readonly worker: PoolWorker }
  | { readonly type: 'lost'; readonly worker: PoolWorker; readonly reason: string }
  | { readonly type: 'message'; readonly worker: PoolWorker; readonly message: RunMessage };

/** Messages that belong to a run. */
export type RunMessage = Extract<WorkerMessage, { runId: string }>;

/** What a hello says about the worker; it may change between two sockets of the same worker. */
export function traits(
  hello: WorkerMessageOf<'hello'>,
): Pick<PoolWorker, 'name' | 'runtime' | 'device' | 'cores' | 'takesPrograms'> {
  const { name, runtime, device, cores, programs = 'none' } = hello;
  return { name, runtime, device, cores, takesPrograms: programs };
}

/** A worker that has just said hello. */
export function newWorker(
  hello: WorkerMessageOf<'hello'>,
  joined: Pick<
    PoolWorker,
    'workerId' | 'remoteAddress' | 'joinedAtMs' | 'life' | 'isOwners' | 'checksPassed'
  >,
): PoolWorker {
  return {
    ...traits(hello),
    ...joined,
    peerId: undefined,
    present: true,
    leaving: undefined,
    session: 1,
    runId: undefined,
    programs: 0,
    roundTripMs: undefined,
  };
}
