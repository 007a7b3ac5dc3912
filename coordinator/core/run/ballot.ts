// What members say of one thing, one vote each: most of them decide, and it is known who says something else.

/** What is said, in named parts: a difference between two members is told by these names. */
export type Statement = Readonly<Record<string, string>>;

export interface Candidate {
  readonly says: Statement;
  readonly voters: ReadonlySet<string>;
}

export class Ballot {
  /** In the order in which they were first heard. */
  readonly #candidates: { readonly says: Statement; readonly voters: Set<string> }[] = [];

  /** Takes a vote; a worker that has voted keeps its first. @returns the candidate that the worker is for. */
  vote(workerId: string, says: Statement): Candidate {
    const earlier = this.candidateOf(workerId);
    if (earlier) return earlier;
    let candidate = this.#candidates.find((one) => isSame(one.says, says));
    if (!candidate) {
      candidate = { says, voters: new Set() };
      this.#candidates.push(candidate);
    }
    candidate.voters.add(workerId);
    return candidate;
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  candidateOf(workerId: string): Candidate | undefined {
    return this.#candidates.find(({ voters }) => voters.has(workerId));
  }

  /** The candidate of more than half of so many members, all of whom may vote. */
  winner(members: number): Candidate | undefined {
    return this.#candidates.find(({ voters }) => 2 * voters.size > members);
  }

  /** The candidate of more than half of the electorate; other votes do not count. */
  winnerAmong(electorate: ReadonlySet<string>): Candidate | undefined {
    return this.#candidates.find(({ voters }) => {
      const votes = [...voters].filter((workerId) => electorate.has(workerId)).length;
      return 2 * votes > electorate.size;
    });
  }

  /** Those for another candidate. */
  votersAgainst(winner: Candidate): string[] {
    return this.#candidates.flatMap((one) => (one === winner ? [] : [...one.voters]));
  }

  get voters(): string[] {
    return this.#candidates.flatMap(({ voters }) => [...voters]);
  }

  /** Names of the parts in which candidates differ. */
  get differences(): string[] {
    const [first] = this.#candidates;
    return Object.keys(first?.says ?? {}).filter((part) =>
      this.#candidates.some(({ says }) => says[part] !== first?.says[part]),
    );
  }
}

export function isSame(a: Statement, b: Statement): boolean {
  return Object.keys(a).every((part) => a[part] === b[part]);
}

/** "trees and metrics" */
export function partsIn(a: Statement, b: Statement): string {
  return Object.keys(a)
    .filter((part) => a[part] !== b[part])
    .join(' and ');
}
