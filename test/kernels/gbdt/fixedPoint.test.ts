import { describe, expect, it } from 'vitest';
import {
  MARGIN_LIMIT,
  ONE,
  addToMargin,
  divideToOne,
  multiplyShift,
  multiplyShiftSigned,
} from '../../../kernels/gbdt/fixedPoint.ts';
import {
  buildExpTable,
  buildSigmoidTable,
  expFixed,
  sigmoidFixed,
  softmaxShift,
} from '../../../kernels/gbdt/probabilityTable.ts';
import { rowHash } from '../../../kernels/gbdt/rowHash.ts';
import { seededNumbers } from '../seededNumbers.ts';

const random = seededNumbers(5);

describe('fixed-point products and quotients', () => {
  it('multiplyShift equals the exact product rounded, at the ends of its range and at random', () => {
    const check = (a: number, b: number): void => {
      expect(multiplyShift(a, b)).toBe(Number((BigInt(a) * BigInt(b) + (1n << 23n)) >> 24n));
    };
    for (const a of [0, 1, 4095, 4096, 2 ** 24, 2 ** 30 - 1])
      for (const b of [0, 1, 4095, ONE - 1, ONE]) check(a, b);
    for (let i = 0; i < 2000; i += 1) check(random.below(2 ** 30), random.below(ONE + 1));
  });

  it('multiplyShiftSigned is symmetric about zero', () => {
    expect(multiplyShiftSigned(-3, ONE / 2)).toBe(-2);
    expect(multiplyShiftSigned(3, ONE / 2)).toBe(2);
  });

  it('divideToOne equals the exact quotient rounded, also where doubles would round up', () => {
    const check = (part: number, total: number): void => {
      const exact = (BigInt(part) * BigInt(ONE) + BigInt(total >> 1)) / BigInt(total);
      expect(divideToOne(part, total)).toBe(Number(exact));
    };
    for (const total of [1, 2, 3, 2 ** 31 - 1, 2 ** 31 - 2])
      for (const part of [0, 1, total - 1, total]) check(part, total);
    for (let i = 0; i < 5000; i += 1) {
      const total = 1 + random.below(2 ** 31 - 1);
      check(random.below(total + 1), total);
    }
  });

  it('addToMargin saturates instead of wrapping', () => {
    expect(addToMargin(MARGIN_LIMIT - 1, 2)).toBe(MARGIN_LIMIT);
    expect(addToMargin(-MARGIN_LIMIT, -(2 ** 31))).toBe(-MARGIN_LIMIT);
    expect(addToMargin(5, -7)).toBe(-2);
  });
});

describe('probability tables', () => {
  const sigmoid = buildSigmoidTable();
  const exp = buildExpTable();

  it('sigmoid is within 2^-22 of the real one, symmetric, rising, and never certain', () => {
    let last = 0;
    for (let margin = -(20 * 2 ** 20); margin <= 20 * 2 ** 20; margin += 9973) {
      const p = sigmoidFixed(sigmoid, margin);
      expect(Math.abs(p / ONE - 1 / (1 + Math.exp(-margin / 2 ** 20)))).toBeLessThan(2 ** -22);
      expect(p + sigmoidFixed(sigmoid, -margin)).toBe(ONE);
      expect(p).toBeGreaterThanOrEqual(last);
      last = p;
    }
    expect(sigmoidFixed(sigmoid, 0)).toBe(ONE / 2);
    for (const margin of [16 * 2 ** 20, 2 ** 29]) {
      expect(sigmoidFixed(sigmoid, margin)).toBe(ONE - 2);
      expect(sigmoidFixed(sigmoid, -margin)).toBe(2);
    }
  });

  it('exp is within 2^-18 of the real one and zero from 18 on', () => {
    for (let distance = 0; distance <= 20 * 2 ** 20; distance += 9973) {
      expect(Math.abs(expFixed(exp, distance) / ONE - Math.exp(-distance / 2 ** 20))).toBeLessThan(2 ** -18);
    }
    expect(expFixed(exp, 0)).toBe(ONE);
    expect(expFixed(exp, 18 * 2 ** 20)).toBe(0);
    expect(expFixed(exp, 2 ** 30)).toBe(0);
  });

  it('softmaxShift keeps the sum of any number of outputs below 2^31', () => {
    for (const outputs of [1, 3, 127, 128, 1000, 100_000]) {
      expect(outputs * (ONE >> softmaxShift(outputs))).toBeLessThan(2 ** 31);
    }
    expect(softmaxShift(127)).toBe(0);
  });

  it('tables have fixed content, so that a change is noticed', () => {
    expect([sigmoid.length, sigmoid[0], sigmoid[256], sigmoid[4096]]).toEqual([
      4097, 8388608, 12265128, 16777214,
    ]);
    expect([exp.length, exp[0], exp[256], exp[4096]]).toEqual([4609, 16777216, 6171993, 2]);
  });
});

describe('rowHash', () => {
  it('keeps the wanted share of rows, independently from round to round', () => {
    const rows = 100_000;
    let first = 0;
    let both = 0;
    for (let row = 0; row < rows; row += 1) {
      const taken = rowHash(7, 0, row) < 0.3 * 2 ** 32;
      if (taken) first += 1;
      if (taken && rowHash(7, 1, row) < 0.3 * 2 ** 32) both += 1;
    }
    expect(first / rows).toBeCloseTo(0.3, 2);
    expect(both / rows).toBeCloseTo(0.09, 2);
  });

  it('differs by seed, round and row, and takes row ids beyond 2^31', () => {
    const hashes = [
      rowHash(0, 0, 0),
      rowHash(1, 0, 0),
      rowHash(0, 1, 0),
      rowHash(0, 0, 1),
      rowHash(0, 0, 3e9),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toBeGreaterThanOrEqual(0);
  });
});
