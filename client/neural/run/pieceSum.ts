// Adds up a bucket of gradients as pieces: each member sends every other its piece of that one's part, and gets the sums of all
// parts back. Unlike a plain all-reduce it keeps what was sent and received in a step, until the step is checked.

import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import { evenBounds } from '../../collective/partition.ts';
import type { VectorCodec } from '../codec/vectorCodec.ts';
import type { GradientSum } from './gradientSum.ts';
import type { Combine } from './combine.ts';
import { digestOf } from './pieceDigests.ts';

/** What was exchanged of one bucket. */
export interface ExchangedBucket {
  /** By part, as they were sent. */
  readonly sent: readonly Uint8Array[];
  /** Digests of those; of what each rank sent of this member's part; of the sums of all parts. */
  readonly digests: Promise<{
    readonly sent: readonly string[];
    readonly received: readonly string[];
    readonly sums: readonly string[];
  }>;
  readonly sum: Float32Array<ArrayBuffer>;
}

interface PieceSumOptions {
  readonly codec: VectorCodec;
  readonly collective: Collective;
  readonly signal: AbortSignal;
  /** By rank, in the step under way. */
  readonly combine: () => Combine;
  /** What is exchanged is kept until it is taken. */
  readonly isDigested: boolean;
}

export class PieceSum implements GradientSum {
  readonly #options: PieceSumOptions;
  /** Two collectives a bucket: all members must ask for them in the same order. */
  #last: Promise<unknown> = Promise.resolve();
  #exchanged = new Map<number, ExchangedBucket>();

  constructor(options: PieceSumOptions) {
    this.#options = options;
  }

  add(bucket: number, values: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const sum = this.#last.then(() => this.#sum(bucket, values));
    this.#last = sum;
    sum.catch(() => undefined); // The failure is thrown where the sum is awaited.
    return sum;
  }

  /** What was exchanged since this was last asked, by bucket. */
  take(): ExchangedBucket[] {
    const buckets = [...this.#exchanged].sort(([a], [b]) => a - b).map(([, exchanged]) => exchanged);
    this.#exchanged = new Map();
    return buckets;
  }

  async #sum(bucket: number, values: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const { codec, collective, signal, combine, isDigested } = this.#options;
    const { rank, size } = collective;
    const bounds = evenBounds(values.length, size);
    const lengthOf = (part: number): number => bounds[part + 1]! - bounds[part]!;
    const options = { signal, maxBytes: codec.mostBytes(Math.ceil(values.length / size)) };
    const sent = cutPieces(values, size, codec);
    const received = (await collective.exchange(sent, options)).with(rank, sent[rank]!);
    const pieces = received.map((bytes, from) =>
      readFromPeer(collective, from, () => codec.decode(bytes, lengthOf(rank))),
    );
    const own = codec.encode(combine()(pieces));
    const sums = await collective.allGather(own, { ...options, isWitnessed: false });
    const sum = new Float32Array(values.length);
    for (const [part, bytes] of sums.entries())
      sum.set(
        readFromPeer(collective, part, () => codec.decode(bytes, lengthOf(part))),
        bounds[part],
      );
    if (!isDigested) return sum;
    const digests = digestsOf(sent, received.toSpliced(rank, 1), sums, rank);
    digests.catch(() => undefined); // Thrown where they are awaited.
    this.#exchanged.set(bucket, { sent, digests, sum });
    return sum;
  }
}

/** The pieces of a bucket by part, as they travel. */
export function cutPieces(values: Float32Array, size: number, codec: VectorCodec): Uint8Array[] {
  const bounds = evenBounds(values.length, size);
  return bounds.slice(0, -1).map((start, part) => codec.encode(values.subarray(start, bounds[part + 1])));
}

/** @param received from the others, by rank. */
async function digestsOf(
  sent: readonly Uint8Array[],
  received: readonly Uint8Array[],
  sums: readonly Uint8Array[],
  rank: number,
): ReturnType<() => ExchangedBucket['digests']> {
  const of = (pieces: readonly Uint8Array[]): Promise<string[]> => Promise.all(pieces.map(digestOf));
  const [own, others, parts] = await Promise.all([of(sent), of(received), of(sums)]);
  return { sent: own, received: others.toSpliced(rank, 0, own[rank]!), sums: parts };
}
