// What another member computes in a step, done here: its microbatches with the state that all have. The step's update must not
// have been applied yet.

import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { MicrobatchPlace } from '../../../shared/neural/run/stepPlan.ts';
import { shareOfSpeed } from '../../../shared/neural/run/stepPlan.ts';
import type { EngineLayout, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import type { VectorCodec } from '../codec/vectorCodec.ts';
import type { TensorRows } from './tensorRows.ts';
import { evenBounds } from '../../collective/partition.ts';
import type { Combine } from './combine.ts';
import { digestOf, joinDigests } from './pieceDigests.ts';

/** A step that all members have exchanged and none has applied. */
export interface UnappliedStep {
  readonly step: number;
  /** Microbatches of all members, and the relative speeds by which they are shared out. */
  readonly places: readonly MicrobatchPlace[];
  readonly speeds: readonly number[];
}

export interface CheckedWork {
  readonly engine: TrainingEngine;
  readonly train: TensorRows;
  readonly codec: VectorCodec;
  readonly signal: AbortSignal;
}

/** Of a contribution, by bucket. */
export type Contribution = readonly Float32Array<ArrayBuffer>[];

/** Leaves the reduction as it may be: the caller writes the sums back. */
export async function contributionOf(
  rank: number,
  { engine, train, signal }: CheckedWork,
  { step, places, speeds }: UnappliedStep,
): Promise<Contribution> {
  engine.clear();
  const [from, to] = shareOfSpeed(places.length, speeds, rank);
  for (let at = from; at < to; at += 1) {
    const batch = await train.read(places[at]!, step, signal);
    await engine.accumulate(batch, { isLast: at === to - 1 });
  }
  const values: Float32Array<ArrayBuffer>[] = [];
  for (const [bucket, { length }] of engine.layout.buckets.entries())
    values.push(to > from ? await engine.readBucket(bucket) : new Float32Array(length));
  return values;
}

/** By part, over all buckets. @param pieces by bucket, then by part. */
export async function digestsByPart(
  pieces: readonly (readonly Uint8Array[])[],
  size: number,
): Promise<string[]> {
  const digests = await Promise.all(pieces.map((parts) => Promise.all(parts.map(digestOf))));
  return Array.from({ length: size }, (_, part) => joinDigests(digests.map((parts) => parts[part]!)));
}

/** All pieces of one part, one bucket after the other. */
export function joinPieces(pieces: readonly (readonly Uint8Array[])[], part: number): Uint8Array {
  const own = pieces.map((parts) => parts[part]!);
  const bytes = new Uint8Array(own.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of own) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Bytes of one part in each bucket. */
export function pieceBytes(
  { buckets }: EngineLayout,
  part: number,
  size: number,
  codec: VectorCodec,
): number[] {
  return buckets.map(({ length }) => codec.mostBytes(pieceLength(length, part, size)));
}

export function pieceLength(length: number, part: number, size: number): number {
  const bounds = evenBounds(length, size);
  return bounds[part + 1]! - bounds[part]!;
}

/**
 * The pieces of a part that a member sent, by bucket.
 * @throws PeerMessageError naming it, where it sent more or fewer bytes.
 */
export function splitPieces(
  bytes: Uint8Array,
  lengths: readonly number[],
  collective: Pick<Collective, 'members' | 'rank'>,
  from: number,
): Uint8Array[] {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return readFromPeer(collective, from, () => {
    if (bytes.length !== total) throw new RangeError(`${bytes.length} bytes are no pieces of ${total} bytes`);
    let at = 0;
    return lengths.map((length) => bytes.subarray(at, (at += length)));
  });
}

/** The digest of a part's sum, from what all sent of it. @param pieces by rank, then by bucket. */
export async function sumDigest(
  pieces: readonly (readonly Uint8Array[])[],
  { codec, combine }: { readonly codec: VectorCodec; readonly combine: Combine },
  lengths: readonly number[],
): Promise<string> {
  const digests = lengths.map((length, bucket) => {
    const decoded = pieces.map((buckets) => codec.decode(buckets[bucket]!, length));
    return digestOf(codec.encode(combine(decoded)));
  });
  return joinDigests(await Promise.all(digests));
}
