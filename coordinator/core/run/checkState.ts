// What is known of the checks of a generation's rounds.

import type { CheckedRound, Lease } from '../../../shared/protocol/control.ts';
import type { RunPlan } from './runPlan.ts';

/** Rounds that take longer than this together are checked earlier, so that the record does not lag behind for long. */
const LONGEST_WAIT_MS = 500;

/** A member as its work is checked. */
interface CheckedMember {
  readonly workerId: string;
  readonly isOwners: boolean;
  readonly leases: readonly Lease[];
}

export interface AskedRounds {
  readonly firstRound: number;
  readonly endRound: number;
  readonly workerIds: ReadonlySet<string>;
  readonly answers: Map<string, readonly CheckedRound[]>;
  readonly deadlineMs: number;
  isAudited: boolean;
  /** By round, from the first on: bytes of the trees that were asked about. */
  readonly treeBytes: readonly number[];
  /** By round, from the first on: who names the trees that are judged. */
  readonly voters: (readonly string[])[];
}

/** Of one generation; changed in place, like its votes. */
export class RoundChecks {
  /** Whether rounds of this generation are checked at all. */
  readonly isOn: boolean;
  /** Each member holds all rows and grows whole trees alone: there are no sums to ask about, and who names a wrong tree made it. */
  readonly areAlone: boolean;
  /** Most agree on the rounds before this one. */
  agreed: number;
  /** Rounds before this one are right. */
  cleared: number;
  /** Of rounds that are right and not recorded yet, from the rows. */
  readonly metrics = new Map<number, Readonly<Record<string, number>>>();
  /** A round was wrong: what follows it is worth nothing. */
  isSpoiled = false;
  /** All members told of the rounds that were judged last. */
  areAllTold = true;
  asked: AskedRounds | undefined;
  /** Since when a round waits to be checked. */
  waitsSinceMs: number | undefined;
  /** By rank, also of those who are lost. */
  readonly group: readonly CheckedMember[];

  constructor(
    { isOn, areAlone }: Pick<RoundChecks, 'isOn' | 'areAlone'>,
    cleared: number,
    group: RoundChecks['group'],
  ) {
    this.isOn = isOn;
    this.areAlone = areAlone;
    this.cleared = cleared;
    this.agreed = cleared;
    this.group = group;
  }
}

/** Checks of a group of these. */
export function checksOf(
  { checks, sharesRows, kind }: Pick<RunPlan, 'checks' | 'sharesRows' | 'kind'>,
  members: readonly CheckedMember[],
  cleared: number,
): RoundChecks {
  const isAsked = checks === 'always' || (checks === 'auto' && members.some(({ isOwners }) => !isOwners));
  const areAlone = sharesRows && members.length > 1;
  return new RoundChecks({ isOn: isAsked && kind.checksRounds, areAlone }, cleared, members);
}

/** Whether what most agree on may go into the record. */
export function mayRecord({ checks }: { readonly checks: RoundChecks }, round: number): boolean {
  return !checks.isOn || round < checks.cleared;
}

/** Something is being found out that the record, or the next group, waits for. */
export function isChecking({ checks }: { readonly checks: RoundChecks }): boolean {
  return checks.asked !== undefined;
}

/** When a member that does not answer has had its time, or rounds have waited long enough to be asked about. */
export function checkEndsAtMs({ checks }: { readonly checks: RoundChecks }): number {
  const { asked, waitsSinceMs } = checks;
  if (asked) return asked.isAudited ? Infinity : asked.deadlineMs;
  return waitsSinceMs === undefined ? Infinity : waitsSinceMs + LONGEST_WAIT_MS;
}
