// Adds up a bucket of gradients over the group, as it is or smaller. Lossy codecs keep what they left out and add it to
// the next step's values (error feedback, Karimireddy et al. 2019), so that nothing is lost for good.

import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { GradientCodec } from '../../../shared/neural/run/neuralSpec.ts';
import { vectorCodecs } from '../codec/vectorCodecs.ts';
import type { VectorCodec } from '../codec/vectorCodec.ts';

export interface GradientSum {
  /** Replaces `values` by the sum over the members; the same bits at all of them. Calls are carried out in order. */
  add(bucket: number, values: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>>;
}

export function createGradientSum(
  codec: GradientCodec,
  collective: Collective,
  signal: AbortSignal,
): GradientSum {
  if (codec === 'f32') {
    return { add: (_bucket, values) => collective.allReduce(values, 'sum', { signal }) };
  }
  return new CompressedSum(vectorCodecs[codec], collective, signal);
}

class CompressedSum implements GradientSum {
  readonly #codec: VectorCodec;
  readonly #collective: Collective;
  readonly #signal: AbortSignal;
  /** What was left out of each bucket so far: of this member's gradients, and of the part that it sums up. */
  readonly #own = new Map<number, Float32Array>();
  readonly #summed = new Map<number, Float32Array>();
  /** Two collectives a bucket: all members must ask for them in the same order. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(codec: VectorCodec, collective: Collective, signal: AbortSignal) {
    this.#codec = codec;
    this.#collective = collective;
    this.#signal = signal;
  }

  add(bucket: number, values: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const sum = this.#last.then(() => this.#sum(bucket, values));
    this.#last = sum;
    sum.catch(() => undefined); // The failure is thrown where the sum is awaited.
    return sum;
  }

  async #sum(bucket: number, values: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const { rank, size } = this.#collective;
    const options = {
      signal: this.#signal,
      maxBytes: this.#codec.mostBytes(Math.ceil(values.length / size)),
    };
    const bounds = Array.from({ length: size + 1 }, (_, at) => Math.floor((values.length * at) / size));
    const part = (at: number): [number, number] => [bounds[at]!, bounds[at + 1]!];
    const pieces = this.#encode(this.#own, bucket, values, bounds);
    const received = await this.#collective.exchange(pieces, options);
    const decode = (bytes: Uint8Array, from: number, length: number): Float32Array =>
      readFromPeer(this.#collective, from, () => this.#codec.decode(bytes, length));
    const sum = new Float32Array(part(rank)[1] - part(rank)[0]);
    for (let from = 0; from < size; from++) {
      const piece = decode(from === rank ? pieces[rank]! : received[from]!, from, sum.length);
      for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + piece[i]!;
    }
    const [encoded] = this.#encode(this.#summed, bucket, sum, [0, sum.length]);
    const sums = await this.#collective.allGather(encoded!, { ...options, isWitnessed: false });
    for (let at = 0; at < size; at++) {
      const [start, end] = part(at);
      values.set(decode(sums[at]!, at, end - start), start);
    }
    return values;
  }

  /** Adds what was left out before, encodes in pieces, and keeps what is left out now. */
  #encode(
    kept: Map<number, Float32Array>,
    bucket: number,
    values: Float32Array,
    bounds: readonly number[],
  ): Uint8Array[] {
    const left = kept.get(bucket) ?? new Float32Array(values.length);
    kept.set(bucket, left);
    const whole = new Float32Array(values.length);
    for (let i = 0; i < whole.length; i++) whole[i] = values[i]! + left[i]!;
    return bounds.slice(0, -1).map((start, at) => {
      const piece = whole.subarray(start, bounds[at + 1]);
      const bytes = this.#codec.encode(piece);
      const decoded = this.#codec.decode(bytes, piece.length);
      for (let i = 0; i < piece.length; i++) left[start + i] = piece[i]! - decoded[i]!;
      return bytes;
    });
  }
}
