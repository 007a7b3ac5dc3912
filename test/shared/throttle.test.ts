import { expect, it } from 'vitest';
import { Throttle } from '../../shared/throttle.ts';

it('is due at first, then once so much time has gone by since it was done, or when it is reset', () => {
  let nowMs = 1_000;
  const throttle = new Throttle(100, () => nowMs);
  expect(throttle.isDue).toBe(true);
  throttle.done();
  expect(throttle.isDue).toBe(false);
  nowMs = 1_099;
  expect(throttle.isDue).toBe(false);
  nowMs = 1_100;
  expect(throttle.isDue).toBe(true);
  throttle.done();
  throttle.reset();
  expect(throttle.isDue).toBe(true);
});
