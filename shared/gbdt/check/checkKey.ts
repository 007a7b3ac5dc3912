// What histograms are fingerprinted with: random weights that follow from a seed. The coordinator draws the seed once all
// contributions of a round are sent, so that none of them can be made to fit it.
//
// Source: the check of a product by a random vector (R. Freivalds, "Probabilistic machines can use less running time", 1977),
// and the bound on zeros of a polynomial by Schwartz and Zippel.

import { sha256 } from '../../hash/sha256.ts';
import { modulusOf, primeFrom, type Modulus } from './modular.ts';

/** Weights are below this: sums of 32 products of a weight and a third of a histogram cell are exact in a double. */
export const WEIGHT_BITS = 30;
/** A Hessian of 31 bits times this is exact in a double. */
const HESSIAN_WEIGHT_BITS = 20;

/** One of the vectors. A lie passes with a probability below 2^-19, however it was chosen. */
export interface CheckVector {
  readonly modulus: Modulus;
  /** Of each slot of a node's histogram. */
  readonly slots: Float64Array;
  /** What Hessians weigh beside gradients. */
  readonly hessian: number;
}

export interface CheckKey {
  readonly seed: string;
  readonly vectors: readonly CheckVector[];
}

/** A fingerprint: what is left of a sum modulo the prime of each vector. */
export type Fingerprint = readonly number[];

/** Vectors of a key. A second one would square that probability, for half as much work again. */
const VECTORS = 1;

/**
 * @param seed at least 16 random bytes in hexadecimal.
 * @param slots of a node's histogram over all features.
 */
export function checkKey(seed: string, slots: number): CheckKey {
  const vectors = Array.from({ length: VECTORS }, (_, index): CheckVector => {
    const stream = randomWords(`${seed}/vector/${index}`);
    const modulus = modulusOf(primeFrom(stream()));
    const hessian = 1 + (stream() % (2 ** HESSIAN_WEIGHT_BITS - 1));
    return { modulus, hessian, slots: Float64Array.from({ length: slots }, () => weightOf(stream())) };
  });
  return { seed, vectors };
}

/** Weights of the nodes that a round built, step by step: the same for all who know the seed. */
export function nodeWeights({ seed }: CheckKey, round: number): () => number {
  const stream = randomWords(`${seed}/round/${round}`);
  return () => weightOf(stream());
}

/** A number below `count` for a round, by chance. */
export function pick({ seed }: CheckKey, round: number, what: string, count: number): number {
  return randomWords(`${seed}/${what}/${round}`)() % count;
}

function weightOf(word: number): number {
  // Zero would hide what it weighs.
  return 1 + (word % (2 ** WEIGHT_BITS - 1));
}

/**
 * 32-bit words from a generator that SHA-256 of the name starts. Nobody who does not know the seed can guess them, and they need not
 * be secret afterwards.
 * Source: xoshiro128**, D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", 2021.
 */
function randomWords(name: string): () => number {
  const start = new DataView(sha256(new TextEncoder().encode(name)).buffer);
  let [a, b, c, d] = [start.getInt32(0), start.getInt32(4), start.getInt32(8), start.getInt32(12) | 1];
  return () => {
    const word = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return word;
  };
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
