// What a member summed up in the last rounds, and what the others sent it for its part of the sums: kept until the coordinator
// has asked for fingerprints of it.

import { add, fingerprintOf, nothing, scale } from '../../shared/gbdt/check/fingerprint.ts';
import { checkKey, nodeWeights } from '../../shared/gbdt/check/checkKey.ts';
import type { CheckKey, Fingerprint } from '../../shared/gbdt/check/checkKey.ts';
import type { CheckedRound } from '../../shared/protocol/control.ts';
import { deferred } from '../../shared/deferred.ts';
import { whenAborted } from '../../shared/whenAborted.ts';

/** Rounds that a member is ahead of the coordinator's questions, at most. */
const MOST_ROUNDS = 24;
/** Bytes that are kept of several rounds; one is always kept. */
const MOST_BYTES = 192 * 1024 * 1024;

/** Histograms of some nodes, as they went over the links. */
export interface TracedStep {
  readonly output: number;
  readonly limb: 'high' | 'low';
  readonly nodes: readonly number[];
  /** [owner][node][slot of the owner][g, h]. */
  readonly sent: Float64Array;
  /** By rank: [node][slot of this member][g, h]; empty of its own. */
  readonly received: readonly Float64Array[];
  /** size+1 slots: member r owns [bounds[r], bounds[r+1]). */
  readonly bounds: readonly number[];
}

interface TracedRound {
  readonly steps: TracedStep[];
  /** Ranks whose word on best splits could not be. */
  readonly refused: Set<number>;
  readonly roots: NonNullable<CheckedRound['roots']>;
}

const nothingYet = (): TracedRound => ({ steps: [], refused: new Set(), roots: [] });

/** Where the steps of one tree are kept. */
export interface TracedTree {
  readonly trace: RoundTrace;
  readonly output: number;
}

export class RoundTrace {
  /** The member's place in its generation. */
  readonly rank: number;
  readonly #size: number;
  readonly #slots: number;
  readonly #rounds = new Map<number, TracedRound>();
  #current: TracedRound = nothingYet();
  #bytes = 0;
  #freed = deferred<void>();
  #over: Promise<never> | undefined;

  /** @param slots of a node's histogram over all features. */
  constructor(rank: number, size: number, slots: number) {
    this.rank = rank;
    this.#size = size;
    this.#slots = slots;
  }

  /** Waits while too much is kept. @throws AbortedError */
  async begin(round: number, signal: AbortSignal): Promise<void> {
    while (this.#rounds.size >= MOST_ROUNDS || (this.#rounds.size > 0 && this.#bytes > MOST_BYTES)) {
      // One for the whole generation: each listens to the signal until that fires.
      this.#over ??= whenAborted(signal);
      await Promise.race([this.#freed.promise, this.#over]);
    }
    this.#current = nothingYet();
    this.#rounds.set(round, this.#current);
  }

  keep(step: TracedStep): void {
    this.#current.steps.push(step);
    this.#bytes += bytesOf(step);
  }

  /** What these members told of their best splits can not be. */
  refuse(ranks: Iterable<number>): void {
    for (const rank of ranks) this.#current.refused.add(rank);
  }

  /** They told different sums of the root of a tree: which of them are true the rows say. @param told by rank. */
  refuseRoots(output: number, told: readonly string[]): void {
    this.#current.roots.push({ output, told: [...told] });
  }

  /**
   * Fingerprints of the rounds [first, end), none where the first is not kept. What came before them is let go; they themselves may be
   * asked about again, by a coordinator that was restarted.
   * @param seed as the coordinator drew it.
   */
  check(seed: string, first: number, end: number): CheckedRound[] {
    const key = checkKey(seed, this.#slots);
    const checked: CheckedRound[] = [];
    for (const [round, traced] of this.#rounds) {
      if (round >= first && round < end) checked.push(this.#fingerprints(key, round, traced));
    }
    this.#forgetBefore(first);
    return checked[0]?.round === first ? checked : [];
  }

  #fingerprints(key: CheckKey, round: number, { steps, refused, roots }: TracedRound): CheckedRound {
    const weight = nodeWeights(key, round);
    const sent = Array.from({ length: this.#size }, () => nothing(key));
    const received = Array.from({ length: this.#size }, () => nothing(key));
    const ofSteps: Fingerprint[] = [];
    for (const { nodes, bounds, sent: out, received: incoming } of steps) {
      const weights = nodes.map(weight);
      let ofStep = nothing(key);
      for (let rank = 0, at = 0; rank < this.#size; rank += 1) {
        const slots = bounds[rank + 1]! - bounds[rank]!;
        const part = out.subarray(at, (at += 2 * slots * nodes.length));
        const ofPart = weighted(key, part, bounds[rank]!, slots, weights);
        sent[rank] = add(key, sent[rank]!, ofPart);
        ofStep = add(key, ofStep, ofPart);
        const own = bounds[this.rank + 1]! - bounds[this.rank]!;
        if (rank === this.rank) continue;
        const ofSender = weighted(key, incoming[rank]!, bounds[this.rank]!, own, weights);
        received[rank] = add(key, received[rank]!, ofSender);
      }
      ofSteps.push(ofStep);
    }
    return {
      round,
      steps: steps.map(({ output, limb, nodes }, i) => ({
        output,
        limb,
        nodes: [...nodes],
        sum: plain(ofSteps[i]!),
      })),
      sent: sent.map(plain),
      received: received.map(plain),
      refused: [...refused],
      ...(roots.length > 0 && { roots }),
    };
  }

  #forgetBefore(first: number): void {
    for (const [round, { steps }] of this.#rounds) {
      if (round >= first) continue;
      for (const step of steps) this.#bytes -= bytesOf(step);
      this.#rounds.delete(round);
    }
    this.#freed.resolve();
    this.#freed = deferred();
  }
}

/** Nodes one after the other, each by its weight. */
function weighted(
  key: CheckKey,
  cells: Float64Array,
  firstSlot: number,
  slots: number,
  weights: readonly number[],
): Fingerprint {
  return weights.reduce<Fingerprint>((sum, weight, node) => {
    const ofNode = fingerprintOf(key, cells.subarray(2 * slots * node, 2 * slots * (node + 1)), firstSlot);
    return add(key, sum, scale(key, ofNode, weight));
  }, nothing(key));
}

/** What a peer sent may be no number at all: that differs from whatever the peer says of it. */
function plain(fingerprint: Fingerprint): number[] {
  return fingerprint.map((value) => (Number.isSafeInteger(value) && value >= 0 ? value : 0));
}

function bytesOf({ sent, received }: TracedStep): number {
  return sent.byteLength + received.reduce((bytes, { byteLength }) => bytes + byteLength, 0);
}
