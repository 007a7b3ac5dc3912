// What members of one generation say of its rounds, as long as it matters: of rounds that are not recorded yet, and of the
// last ones that are, for those who tell late. Bounded, whatever members send.

import { Ballot, type Candidate, type Statement } from './ballot.ts';
import type { RoundTiming } from './runRequest.ts';

/** What goes into the record. */
export interface RoundContent {
  readonly payload: readonly unknown[];
  readonly metrics: Readonly<Record<string, number>>;
  readonly sizeBytes: number;
  /** From the first rank, which tells more than the others; or from an answer to a halt, where none tells more. */
  readonly isWhole: boolean;
}

export interface OpenRound {
  readonly round: number;
  readonly ballot: Ballot;
  readonly contents: Map<Candidate, RoundContent>;
  readonly timings: RoundTiming[];
}

interface DecidedRound {
  readonly says: Statement;
  readonly timings: RoundTiming[];
}

/** Decided rounds that late votes are compared with. */
const KEPT_DECIDED = 512;
/** Trees and metrics of rounds that are not decided yet, in all. What is not kept is asked for when the group halts. */
const MAX_CONTENT_BYTES = 16 * 1024 * 1024;

export class RoundVotes {
  readonly #open = new Map<number, OpenRound>();
  /** In the order in which they were decided. */
  readonly #decided = new Map<number, DecidedRound>();
  #contentBytes = 0;

  /** Rounds that members told of and that are not decided. */
  get openRounds(): number {
    return this.#open.size;
  }

  open(round: number): OpenRound | undefined {
    return this.#open.get(round);
  }

  decided(round: number): DecidedRound | undefined {
    return this.#decided.get(round);
  }

  /** Not decided yet, first to last. */
  get inOrder(): number[] {
    return [...this.#open.keys()].sort((a, b) => a - b);
  }

  /** Takes a member's vote for a round that is not decided. */
  vote(round: number, workerId: string, says: Statement, content: RoundContent | undefined): OpenRound {
    let open = this.#open.get(round);
    if (!open) {
      open = { round, ballot: new Ballot(), contents: new Map(), timings: [] };
      this.#open.set(round, open);
    }
    const candidate = open.ballot.vote(workerId, says);
    if (content) this.#keep(open.contents, candidate, content);
    return open;
  }

  /** Keeps what a member measured of its round, until that is announced. */
  time(round: number, timing: RoundTiming): void {
    (this.#open.get(round) ?? this.#decided.get(round))?.timings.push(timing);
  }

  decide(round: number, winner: Candidate): void {
    const timings = this.#open.get(round)?.timings ?? [];
    this.drop(round);
    this.#decided.set(round, { says: winner.says, timings });
    if (this.#decided.size <= KEPT_DECIDED) return;
    for (const oldest of this.#decided.keys()) {
      this.#decided.delete(oldest);
      break;
    }
  }

  drop(round: number): void {
    const open = this.#open.get(round);
    if (!open) return;
    for (const { sizeBytes } of open.contents.values()) this.#contentBytes -= sizeBytes;
    this.#open.delete(round);
  }

  #keep(contents: Map<Candidate, RoundContent>, candidate: Candidate, content: RoundContent): void {
    const known = contents.get(candidate);
    if (known && (known.isWhole || !content.isWhole)) return;
    const contentBytes = this.#contentBytes + content.sizeBytes - (known?.sizeBytes ?? 0);
    // One round is always taken, however large.
    if (contentBytes > MAX_CONTENT_BYTES && this.#contentBytes > 0) return;
    contents.set(candidate, content);
    this.#contentBytes = contentBytes;
  }
}
