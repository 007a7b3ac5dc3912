// What each member sent in the gathers of a generation, as a digest of each: what all get should be the same for all, and
// where members come to different results the coordinator compares these.

import { sha256 } from '../../shared/hash/sha256.ts';
import { toHex } from '../../shared/hash/sha256.ts';
import type { HeardGathers } from '../../shared/protocol/control.ts';
import { DIGEST_CHARACTERS } from '../../shared/protocol/control.ts';
import { sha256Hex } from '../blobs/sha256Hex.ts';

/** Up to here the plain code takes less of this thread than a question to another one. */
const MAX_PLAIN_BYTES = 1024;

export class GatherWitness {
  #gathers = 0;
  /** By rank, over all gathers so far; and over those before the last. */
  #digests: Promise<readonly string[]>;
  #earlier: Promise<readonly string[]> | undefined;

  constructor(size: number) {
    this.#digests = Promise.resolve(Array.from({ length: size }, () => ''));
  }

  /** Takes note of what each rank sent in the next gather. */
  hear(messages: readonly Uint8Array[]): void {
    const before = this.#digests;
    const hashes = messages.map((message) => sha256Hex(message, undefined, MAX_PLAIN_BYTES));
    this.#gathers += 1;
    this.#earlier = before;
    this.#digests = Promise.all([before, ...hashes]).then(([last, ...heard]) =>
      heard.map((hash, rank) => chained(last[rank]!, hash)),
    );
  }

  /** After the last gather and, since others may be one behind, after the one before it; empty before the first. */
  async heard(): Promise<HeardGathers[]> {
    const gathers = this.#gathers;
    const [digests, earlier] = await Promise.all([this.#digests, this.#earlier]);
    const last = { gathers, digests: digests.join('') };
    if (gathers === 0) return [];
    return gathers === 1 ? [last] : [last, { gathers: gathers - 1, digests: earlier!.join('') }];
  }
}

function chained(before: string, hash: string): string {
  return toHex(sha256(new TextEncoder().encode(before + hash))).slice(0, DIGEST_CHARACTERS);
}
