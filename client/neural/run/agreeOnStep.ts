// What members want of the next step, a few bits each, told before it: more than half of them decide, so that no member alone
// ends the generation of the others.

import type { Collective } from '../../../shared/collective/collective.ts';
import { readFromPeer } from '../../../shared/collective/peerMessage.ts';

export interface StepWishes {
  /** The step is told to the coordinator. */
  readonly isReported: boolean;
  /** The coordinator asked for an end of the generation. */
  readonly isHalted: boolean;
  /** And for the state: no group follows. */
  readonly keepsState: boolean;
}

const names = ['isReported', 'isHalted', 'keepsState'] as const satisfies readonly (keyof StepWishes)[];

/** @returns what more than half of the members want, the same at all of them. @throws what the collective throws. */
export async function agreeOnStep(
  collective: Collective,
  own: StepWishes,
  signal: AbortSignal,
): Promise<StepWishes> {
  if (collective.size === 1) return own;
  const told = await collective.allGather(Uint8Array.of(wishBits(own)), { signal, maxBytes: 1 });
  return agreedWishes(told.map((bytes, rank) => readFromPeer(collective, rank, () => readWishes(bytes))));
}

export function wishBits(own: StepWishes): number {
  return names.reduce((sum, name, bit) => sum + (own[name] ? 1 << bit : 0), 0);
}

/** @param all bits of every member. */
export function agreedWishes(all: readonly number[]): StepWishes {
  const wanted = names.map((_, bit) => 2 * all.filter((one) => (one >> bit) & 1).length > all.length);
  const [isReported = false, isHalted = false, keepsState = false] = wanted;
  return { isReported, isHalted, keepsState };
}

/** @throws RangeError when these are no wishes. */
export function readWishes(bytes: Uint8Array): number {
  const [bits] = bytes;
  if (bytes.length === 1 && bits! < 1 << names.length) return bits!;
  throw new RangeError(`${bytes.length} bytes are no wishes for a step`);
}
