// What a member says after the exchange of a step, to all others at once: digests of what it sent, and of the sums that it got. From
// then on it can not have sent anything else, and only then is it known whether the step is checked.

import { DIGEST_BYTES, noDigest, readDigest, writeDigest } from './pieceDigests.ts';

export interface StepWord {
  /** What it wants of the next step (see agreeOnStep). */
  readonly wishes: number;
  /** Not 0: this step is to be checked, with roles that follow from this. */
  readonly seed: number;
  /** What it sent of each part, over all buckets. */
  readonly sent: readonly string[];
  /** What it got from each rank of its own part. */
  readonly received: readonly string[];
  /** The sums of all parts, as it got them. */
  readonly sums: readonly string[];
}

const HEADER_BYTES = 5;

export function wordBytes(size: number): number {
  return HEADER_BYTES + 3 * size * DIGEST_BYTES;
}

export function encodeWord({ wishes, seed, sent, received, sums }: StepWord): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(wordBytes(sent.length));
  bytes[0] = wishes;
  new DataView(bytes.buffer).setUint32(1, seed, true);
  for (const [at, digest] of [...sent, ...received, ...sums].entries())
    writeDigest(digest, bytes, HEADER_BYTES + at * DIGEST_BYTES);
  return bytes;
}

/** @throws RangeError when it is no word of a group of so many. */
export function decodeWord(bytes: Uint8Array, size: number): StepWord {
  if (bytes.length !== wordBytes(size))
    throw new RangeError(`${bytes.length} bytes are no word on a step; expected ${wordBytes(size)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const digests = (first: number): string[] =>
    Array.from({ length: size }, (_, at) => readDigest(bytes, HEADER_BYTES + (first + at) * DIGEST_BYTES));
  return {
    wishes: bytes[0]!,
    seed: view.getUint32(1, true),
    sent: digests(0),
    received: digests(size),
    sums: digests(2 * size),
  };
}

/** What a member found in a check. */
export interface StepFinding {
  /** Of the contribution that it did again, by part. */
  readonly sent: readonly string[];
  /** Of the sum that it did again; noDigest where it could not. */
  readonly sum: string;
}

export function findingBytes(size: number): number {
  return (size + 1) * DIGEST_BYTES;
}

export function encodeFinding({ sent, sum }: StepFinding): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(findingBytes(sent.length));
  for (const [at, digest] of [...sent, sum].entries()) writeDigest(digest, bytes, at * DIGEST_BYTES);
  return bytes;
}

/** @throws RangeError when it is no finding in a group of so many. */
export function decodeFinding(bytes: Uint8Array, size: number): StepFinding {
  if (bytes.length !== findingBytes(size))
    throw new RangeError(`${bytes.length} bytes are no finding; expected ${findingBytes(size)}`);
  const sent = Array.from({ length: size }, (_, part) => readDigest(bytes, part * DIGEST_BYTES));
  return { sent, sum: readDigest(bytes, size * DIGEST_BYTES) };
}

export function isKnown(digest: string): boolean {
  return digest !== noDigest;
}
