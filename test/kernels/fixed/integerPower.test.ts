import { expect, it } from 'vitest';
import { integerPower } from '../../../kernels/fixed/integerPower.ts';

it('is the product of so many factors', () => {
  for (const base of [0.9, 0.999, 1, 3]) {
    let product = 1;
    for (let n = 0; n < 40; n += 1) {
      expect(Math.abs(integerPower(base, n) - product)).toBeLessThanOrEqual(1e-14 * product);
      product *= base;
    }
  }
  expect(integerPower(0.999, 1e9)).toBe(0);
});
