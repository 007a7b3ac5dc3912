// Fingerprints against the same in whole numbers of any size.

import { describe, expect, it } from 'vitest';
import { checkKey, nodeWeights, pick } from '../../../../shared/gbdt/check/checkKey.ts';
import { add, fingerprintOf, scale } from '../../../../shared/gbdt/check/fingerprint.ts';
import { modulusOf, multiply, primeFrom, reduce } from '../../../../shared/gbdt/check/modular.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const SEED = 'a1'.repeat(16);
const random = seededRandom(11);
const whole = (bits: number): number => Math.floor(random() * 2 ** bits);
const signed = (bits: number): number => (random() < 0.5 ? -1 : 1) * whole(bits);

function isPrime(value: number): boolean {
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) if (value % divisor === 0) return false;
  return true;
}

describe('arithmetic modulo a prime', () => {
  it('is that of whole numbers of any size', () => {
    for (let i = 0; i < 5_000; i += 1) {
      const prime = primeFrom(whole(32));
      const modulus = modulusOf(prime);
      const [a, b] = [whole(31) % prime, whole(31) % prime];
      expect(multiply(a, b, modulus)).toBe(Number((BigInt(a) * BigInt(b)) % BigInt(prime)));
      const value = signed(53);
      const rest = BigInt(value) % BigInt(prime);
      expect(reduce(value, modulus)).toBe(Number(rest < 0n ? rest + BigInt(prime) : rest));
    }
  });

  it.each([0, 1, 2, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 32 - 1])(
    'finds a prime of 31 bits from %d on',
    (word) => {
      const prime = primeFrom(word);
      expect(isPrime(prime)).toBe(true);
      expect(prime).toBeGreaterThan(2 ** 30);
      expect(prime).toBeLessThan(2 ** 31);
    },
  );
});

describe('a fingerprint', () => {
  it.each([1, 31, 32, 33, 64, 257])('of %d slots is the weighed sum of its cells', (slots) => {
    const key = checkKey(SEED, slots + 5);
    const cells = Float64Array.from({ length: 2 * slots }, () => signed(52));
    const [vector] = key.vectors;
    const { modulus, hessian } = vector!;
    let sum = 0n;
    for (let slot = 0; slot < slots; slot += 1) {
      const weight = BigInt(vector!.slots[slot + 5]!);
      sum += weight * (BigInt(cells[2 * slot]!) + BigInt(hessian) * BigInt(cells[2 * slot + 1]!));
    }
    const prime = BigInt(modulus.prime);
    expect(fingerprintOf(key, cells, 5)).toEqual([Number(((sum % prime) + prime) % prime)]);
  });

  it('is linear: parts add up to the whole', () => {
    const key = checkKey(SEED, 100);
    const a = Float64Array.from({ length: 200 }, () => signed(50));
    const b = Float64Array.from({ length: 200 }, () => signed(50));
    const both = a.map((cell, i) => cell + b[i]!);
    expect(add(key, fingerprintOf(key, a, 0), fingerprintOf(key, b, 0))).toEqual(fingerprintOf(key, both, 0));
    const tripled = a.map((cell) => 3 * cell);
    expect(scale(key, fingerprintOf(key, a, 0), 3)).toEqual(fingerprintOf(key, tripled, 0));
  });

  it('differs for any cell that differs, by whatever amount, in a thousand keys', () => {
    const cells = Float64Array.from({ length: 64 }, () => signed(40));
    for (let i = 0; i < 1_000; i += 1) {
      const key = checkKey(`${SEED}${i}`, 32);
      const changed = cells.slice();
      // Also by a multiple of a prime that may be drawn.
      changed[i % 64]! += i % 3 === 0 ? key.vectors[0]!.modulus.prime + 2 : 1 + whole(20);
      expect(fingerprintOf(key, changed, 0)).not.toEqual(fingerprintOf(key, cells, 0));
    }
  });
});

describe('a key', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(checkKey(SEED, 40)).toEqual(checkKey(SEED, 40));
    expect(checkKey(SEED, 40).vectors).not.toEqual(checkKey('b2'.repeat(16), 40).vectors);
  });

  it('weighs nodes by round, and picks among all', () => {
    const key = checkKey(SEED, 1);
    const [first, second] = [nodeWeights(key, 3), nodeWeights(key, 4)];
    expect([first(), first()]).not.toEqual([second(), second()]);
    const picked = new Set(Array.from({ length: 200 }, (_, round) => pick(key, round, 'node', 7)));
    expect(picked).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });
});
