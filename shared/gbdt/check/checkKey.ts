// What histograms are fingerprinted with: random weights that follow from a seed. The coordinator draws the seed once all
// contributions of a round are sent, so that none of them can be made to fit it.
//
// Source: the check of a product by a random vector (R. Freivalds, "Probabilistic machines can use less running time", 1977),
// and the bound on zeros of a polynomial by Schwartz and Zippel.

import { sha256 } from '../../hash/sha256.ts';
import { modulusOf, primeFrom, type Modulus } from './modular.ts';

/** Weights are below this: sums of 64 products of a weight and half a histogram cell are exact in a double. */
export const WEIGHT_BITS = 20;

/** One of the vectors. A lie passes each with a probability below 2^-18, however it was chosen. */
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

/** Vectors of a key. Two let a lie pass once in 2^36 rounds. */
export const VECTORS = 2;

/**
 * @param seed at least 16 random bytes in hexadecimal.
 * @param slots of a node's histogram over all features.
 */
export function checkKey(seed: string, slots: number): CheckKey {
  const vectors = Array.from({ length: VECTORS }, (_, index): CheckVector => {
    const stream = randomWords(`${seed}/vector/${index}`);
    const modulus = modulusOf(primeFrom(stream()));
    const hessian = weightOf(stream());
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

/** 32-bit words from SHA-256 in counter mode. */
function randomWords(name: string): () => number {
  let counter = 0;
  let block = new DataView(new ArrayBuffer(0));
  let at = 0;
  return () => {
    if (at >= block.byteLength) {
      block = new DataView(sha256(new TextEncoder().encode(`${name}/${counter}`)).buffer);
      counter += 1;
      at = 0;
    }
    at += 4;
    return block.getUint32(at - 4);
  };
}
