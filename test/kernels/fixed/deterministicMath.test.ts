import { describe, expect, it } from 'vitest';
import { deterministicExp } from '../../../kernels/fixed/deterministicExp.ts';
import { deterministicLog } from '../../../kernels/fixed/deterministicLog.ts';

/** Relative distance in units of double epsilon. */
function ulps(actual: number, expected: number): number {
  return actual === expected ? 0 : Math.abs(actual - expected) / Math.abs(expected) / Number.EPSILON;
}

describe('deterministicExp', () => {
  it('stays within two units in the last place of Math.exp over its whole range', () => {
    for (let i = -70800; i <= 70900; i += 7) {
      expect(ulps(deterministicExp(i / 100), Math.exp(i / 100))).toBeLessThan(2);
    }
  });

  it('gives fixed bits, so that a change of the algorithm is noticed', () => {
    expect(deterministicExp(0)).toBe(1);
    expect(deterministicExp(1)).toBe(2.7182818284590455);
    expect(deterministicExp(-16)).toBe(1.1253517471925912e-7);
  });

  it('follows Math.exp at the edges of the doubles', () => {
    expect(deterministicExp(NaN)).toBeNaN();
    for (const x of [Infinity, -Infinity, 710, -746]) expect(deterministicExp(x)).toBe(Math.exp(x));
    expect(deterministicExp(709.7)).toBeLessThan(Infinity);
    expect(deterministicExp(-745)).toBe(5e-324);
  });
});

describe('deterministicLog', () => {
  it('stays within two units in the last place of Math.log over its whole range', () => {
    for (let i = -1070; i <= 1020; i += 1) {
      for (const mantissa of [1.0009765625, 1.3, Math.SQRT2, 1.5, 1.97]) {
        const x = mantissa * 2 ** i;
        expect(ulps(deterministicLog(x), Math.log(x))).toBeLessThan(2);
      }
    }
  });

  it('is exact at one and follows Math.log at the edges of the doubles', () => {
    expect(deterministicLog(1)).toBe(0);
    for (const x of [0, Infinity]) expect(deterministicLog(x)).toBe(Math.log(x));
    expect(deterministicLog(-1)).toBeNaN();
    expect(deterministicLog(NaN)).toBeNaN();
  });

  it('undoes deterministicExp', () => {
    for (let i = -500; i <= 500; i += 3)
      expect(deterministicLog(deterministicExp(i / 10))).toBeCloseTo(i / 10, 12);
  });
});
