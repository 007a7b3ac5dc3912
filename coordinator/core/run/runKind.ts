// What the run machine must know of a kind of run. Membership, generations and commit are the same for all.

import type { RunSpec } from '../../../shared/run/runSpec.ts';
import type { Shard } from './runRequest.ts';

/** The hash of the payload of a round (of trees: shared/gbdt/treeBytes.ts) and how many bytes that is of, or what is wrong with them. */
export type PayloadReading =
  | { readonly sha256: string; readonly sizeBytes: number }
  | { readonly error: string };

export interface RunKind<Spec extends RunSpec = RunSpec> {
  /** The spec of a parsed JSON value from outside. @throws TabgradError naming the field within the spec. */
  readSpec(value: unknown): Spec;
  /** Rounds of boosting, or steps of the optimizer, when the run is not ended sooner. */
  totalRounds(spec: Spec): number;
  /** Calls `refuse` with a field and what is wrong with it. */
  check(spec: Spec, refuse: (field: string, wrong: string) => never): void;
  /**
   * True: every round is recorded with what it takes to do it again, and a group is brought to the last one. False: the
   * members hold the state and settle among themselves where it stands; the record has the rounds that they report.
   */
  readonly recordsEveryRound: boolean;
  /** Rounds can be done once more from the rows, and are where strangers take part. */
  readonly checksRounds: boolean;
  /** Reads the payload of a round, which comes from outside. */
  readPayload(spec: Spec, payload: readonly unknown[]): PayloadReading;
  /** A group that is formed after the last round stores the state and does nothing else. */
  readonly storesAfterwards: boolean;
  /** The owner asked where the time of the last step goes. */
  isProfiled(spec: Spec): boolean;
  /** Whether shards are shared out; else every member fetches what it needs. */
  readonly leasesShards: boolean;
  /** Whether members load the rows of all, and so are told what each of them leases. */
  sharesRows(spec: Spec, shards: readonly Shard[]): boolean;
  /** SHA-256 of the state that a run begins with, where members fetch one. */
  firstState?(spec: Spec): string;
  /** Largest blob that a member may store: a state, a checkpoint, a profile. 0 where members store nothing. */
  maxUploadBytes(spec: Spec): number;
  /** Whether members are the faster the fewer rows they lease. */
  movesShards(spec: Spec): boolean;
  /** More members than this have nothing to do. */
  usefulWorkers(spec: Spec, shards: readonly Shard[]): number;
}

/** For kinds of runs that record nothing of a round but its metrics. */
export function noPayload(_spec: unknown, payload: readonly unknown[]): PayloadReading {
  return payload.length === 0 ? { sha256: '', sizeBytes: 0 } : { error: 'a run of this kind has no payload' };
}
