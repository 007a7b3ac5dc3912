// What is asked about rounds of trees that members have made, and what the answer may be.

import type { CheckedRound, Lease } from '../../../shared/protocol/control.ts';
import type { LieEvidence } from '../pool/lieEvidence.ts';

export interface AuditedMember {
  readonly workerId: string;
  /** Started by the owner: believed. */
  readonly isOwners: boolean;
  /** Of all datasets. */
  readonly leases: readonly Lease[];
  /** What it told of its sums, by round from the first on; undefined where it did not answer. */
  readonly told: readonly (CheckedRound | undefined)[] | undefined;
}

export interface AuditTask {
  readonly firstRound: number;
  /** Encoded trees of each round. */
  readonly rounds: readonly (readonly unknown[])[];
  /** By rank. */
  readonly members: readonly AuditedMember[];
  /** By which the members answered. */
  readonly seed: string;
}

/** Whom a wrong round is laid to. */
export type Fault =
  /** The worker's own words, or the rows, prove that it lied. */
  | { readonly kind: 'lie'; readonly workerId: string; readonly evidence: LieEvidence }
  /** One of the two lies about what went from one to the other. */
  | {
      readonly kind: 'quarrel';
      readonly workerIds: readonly [string, string];
      readonly round: number;
      readonly what: string;
    }
  /** An owner's worker is wrong, or nobody can be named: the round is done again. */
  | { readonly kind: 'unexplained'; readonly round: number; readonly what: string };

export interface Verdict {
  /** Rounds from the first on that are right. */
  readonly rightRounds: number;
  /** Of each right round, from the rows. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
  /** Of the first wrong round; empty where all are right. */
  readonly faults: readonly Fault[];
}

/** Checks rounds of one run. Rounds are given in order; those that were found right are not given again. */
export interface RoundAuditor {
  /**
   * @param recorded encoded trees of rounds that are known to be right, from the given one on up to the task's first round.
   * @throws what reading rows throws.
   */
  audit(task: AuditTask, recorded: (fromRound: number) => readonly (readonly unknown[])[]): Promise<Verdict>;
  close(): Promise<void>;
}
