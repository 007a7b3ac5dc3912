// What stays the same for a whole run.

import type { PayloadReading, RunKind } from './runKind.ts';
import type { CommittedRound, Shard, WorkerDemand } from './runRequest.ts';

export interface RunPlan {
  readonly runId: string;
  readonly shards: readonly Shard[];
  readonly workers: WorkerDemand;
  /** Rounds of boosting, or steps of the optimizer. */
  readonly totalRounds: number;
  readonly kind: Pick<RunKind, 'leasesShards' | 'recordsEveryRound' | 'storesAfterwards' | 'checksRounds'>;
  /** Reads the payload of a round as a member sent it. */
  readonly readPayload: (payload: readonly unknown[]) => PayloadReading;
  /** Rows of all shards. */
  readonly totalRows: number;
  /** The owner asked where the time of the last step goes. */
  readonly isProfiled: boolean;
  /** More members than this have nothing to do. */
  readonly usefulWorkers: number;
  /** Members load the rows of all. */
  readonly sharesRows: boolean;
  /** Whether rounds are checked: where strangers take part, always, or never. */
  readonly checks: 'auto' | 'always' | 'never';
  /** Whether it is worth while to move shards from slower members to faster ones. */
  readonly movesShards: boolean;
  /** Most of the rows that unproven workers may hold together, from 0 to 1; without it there is no limit. */
  readonly maxUnprovenShare?: number | undefined;
  readonly maxFailures: number;
  /** Asked once for every recorded round, in order: whether it is the last one that the owner wants. */
  readonly isEnough: (round: CommittedRound) => boolean;
  readonly timing: RunTiming;
}

/** All in milliseconds. */
export interface RunTiming {
  /** How long to wait for more workers, after one arrived, before going on with fewer than the most. */
  readonly settleMs: number;
  /** A group works at least this long before a newcomer interrupts it. */
  readonly workBeforeJoinMs: number;
  /** Without any progress in loading and connecting. */
  readonly loadIdleMs: number;
  /** Least time for loading where most others have loaded theirs; a worker that loads for longer does so outside the group. */
  readonly slowLoadMs: number;
  /** Least time for `ready` once all rows are loaded and most others have said it: a direct link is tried for 8 s, then the relay. */
  readonly readyMs: number;
  /** Without a committed round; at least, since 20 times the longest round are granted. */
  readonly roundIdleMs: number;
  /** The same where rounds are recorded one by one and some are known. */
  readonly quietMs: number;
  /** How long the group may make no progress while the sockets of most members are lost, before it goes on without those. */
  readonly awayMs: number;
  /**
   * How long a member's socket may be lost while most are there. A killed worker's closes at once, and the round in flight
   * needs it; what keeps the place of one that was cut off for a moment is that it has loaded all when it comes back.
   */
  readonly aloneAwayMs: number;
  /** For the answer to a halt. */
  readonly haltMs: number;
  /** Least time for the first word of a member, and for its answer to a halt, where all others have given theirs. */
  readonly silenceMs: number;
  /** How long a run waits, after a restart of the coordinator, for all of its group to come back. */
  readonly awaitMembersMs: number;
}

export const defaultTiming: RunTiming = {
  settleMs: 400,
  workBeforeJoinMs: 1_000,
  loadIdleMs: 120_000,
  slowLoadMs: 30_000,
  readyMs: 15_000,
  roundIdleMs: 300_000,
  quietMs: 15_000,
  awayMs: 1_500,
  aloneAwayMs: 50,
  haltMs: 30_000,
  silenceMs: 4_000,
  // Workers try again after 250 ms, then ever more rarely, at most 15 s apart.
  awaitMembersMs: 15_000,
};
