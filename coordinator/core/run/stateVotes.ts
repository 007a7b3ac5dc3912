// What members of one generation say of states that are to be kept, until most have said the same and it is stored.

import { Ballot, type Candidate } from './ballot.ts';
import type { SavedState } from './runRequest.ts';

export interface OpenState {
  readonly rounds: number;
  readonly ballot: Ballot;
  /** Who says that it is in the blob store, and the state of each candidate. */
  readonly stored: Map<Candidate, { readonly workerId: string; readonly state: SavedState }>;
  isChecked: boolean;
}

export class StateVotes {
  readonly #open = new Map<number, OpenState>();

  vote(workerId: string, state: SavedState, isStored: boolean): OpenState {
    const { rounds, sha256, sizeBytes } = state;
    let open = this.#open.get(rounds);
    if (!open) {
      open = { rounds, ballot: new Ballot(), stored: new Map(), isChecked: false };
      this.#open.set(rounds, open);
    }
    const candidate = open.ballot.vote(workerId, { state: `${sha256} of ${sizeBytes} bytes` });
    if (isStored && !open.stored.has(candidate)) open.stored.set(candidate, { workerId, state });
    return open;
  }

  get openStates(): number {
    return this.#open.size;
  }

  /** Fewest rounds first. */
  get open(): OpenState[] {
    return [...this.#open.values()].sort((a, b) => a.rounds - b.rounds);
  }

  of(rounds: number): OpenState | undefined {
    return this.#open.get(rounds);
  }

  /** States up to this one are of no interest any more. */
  dropUpTo(rounds: number): void {
    for (const one of this.#open.keys()) if (one <= rounds) this.#open.delete(one);
  }
}
