// What came of computing strangers' answers again.

export interface CheckCounts {
  /** Answers that were computed again. */
  checks: number;
  /** Workers that had lied. */
  liars: number;
  /** Answers that callers had of these since the last check that came out right: they may be wrong. */
  suspectAnswers: number;
}

/** Of all revisions of a deployment: the replicas of an earlier one may still be checked. */
export class AllChecks {
  readonly #counts = new Set<Readonly<CheckCounts>>();

  add(counts: Readonly<CheckCounts> | undefined): void {
    if (counts) this.#counts.add(counts);
  }

  sum(): CheckCounts {
    const sum = { checks: 0, liars: 0, suspectAnswers: 0 };
    for (const { checks, liars, suspectAnswers } of this.#counts) {
      sum.checks += checks;
      sum.liars += liars;
      sum.suspectAnswers += suspectAnswers;
    }
    return sum;
  }
}
