// Arithmetic modulo a prime below 2^31, in doubles: products are taken in two halves, so that every step is exact.

/** A prime with its reciprocal, which replaces the slow remainder of doubles. */
export interface Modulus {
  readonly prime: number;
  readonly inverse: number;
}

/**
 * A double below 2^51 that this is added to and taken from again is rounded to a whole number: a third of the time that Math.floor
 * takes.
 */
export const ROUNDING = 1.5 * 2 ** 52;

/** Primes are drawn from here up to 2^31: there are 50 million of them. */
const LEAST_PRIME = 2 ** 30;
const HALF_BITS = 15;
const HALF = 2 ** HALF_BITS;

export function modulusOf(prime: number): Modulus {
  return { prime, inverse: 1 / prime };
}

/** @param value an integer of at most 2^53 in size. @returns what is left, 0 to prime-1. */
export function reduce(value: number, { prime, inverse }: Modulus): number {
  // To the nearest whole quotient, which may be off by one, since the product is rounded.
  const rest = value - (value * inverse + ROUNDING - ROUNDING) * prime;
  if (rest < 0) return rest + prime;
  return rest >= prime ? rest - prime : rest;
}

/** @param a 0 to prime-1, as `b`. */
export function multiply(a: number, b: number, modulus: Modulus): number {
  const upper = b >>> HALF_BITS;
  const high = reduce(a * upper, modulus);
  return reduce(high * HALF + a * (b - upper * HALF), modulus);
}

/**
 * @param words 32-bit numbers that are drawn at random.
 * @returns a prime of 31 bits, the first one from a number on that the words make.
 */
export function primeFrom(word: number): number {
  let candidate = LEAST_PRIME + (word % LEAST_PRIME);
  candidate += 1 - (candidate % 2);
  while (!isPrime(candidate)) candidate = candidate + 2 >= 2 * LEAST_PRIME ? LEAST_PRIME + 1 : candidate + 2;
  return candidate;
}

/** Trial division: at most 23,000 odd divisors of a number below 2^31. */
function isPrime(value: number): boolean {
  for (let divisor = 3; divisor * divisor <= value; divisor += 2) if (value % divisor === 0) return false;
  return true;
}
