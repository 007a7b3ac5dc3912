// Whether numbers that two machines computed are the same: to the bit where every machine has the same, within a tolerance
// where devices round differently.

import type { Difference } from './answerCheck.ts';

export type Numbers = Float32Array | Int32Array | Uint8Array;

export interface NumbersCompared {
  /** As a share of the largest of what is right; 0 compares bits. */
  readonly tolerance: number;
  /** How the place of a number is said. */
  readonly where: (at: number) => string;
}

/** Beyond so many times the tolerance no device is an excuse; between, what is right is taken and nobody accused. */
const LIE_FACTOR = 16;

/** @returns the first difference that is a lie, else the first; undefined where there is none. */
export function compareNumbers(
  said: Numbers,
  right: Numbers,
  { tolerance, where }: NumbersCompared,
): Difference | undefined {
  if (said.length !== right.length) {
    const [claimed, found] = [`${said.length} numbers`, `${right.length}`];
    return { isLie: true, where: where(0), claimed, found };
  }
  const allowed = tolerance === 0 ? 0 : tolerance * largest(right);
  let first: Difference | undefined;
  for (let at = 0; at < right.length; at += 1) {
    const one = said[at]!;
    const other = right[at]!;
    if (Object.is(one, other)) continue;
    // What is no number may come of an overflow, which devices meet at different places.
    const off = Math.abs(one - other);
    if (tolerance > 0 && off <= allowed) continue;
    const isLie = tolerance === 0 || off > LIE_FACTOR * Math.max(allowed, tolerance * SMALLEST);
    if (!isLie && first) continue;
    const isOverflow = tolerance > 0 && !Number.isFinite(off);
    const found = { isLie: isLie && !isOverflow, where: where(at), claimed: `${one}`, found: `${other}` };
    if (found.isLie) return found;
    first ??= found;
  }
  return first;
}

/** Below it float32 loses digits, and devices may take numbers for 0. */
const SMALLEST = 2 ** -100;

function largest(values: Numbers): number {
  let most = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}
