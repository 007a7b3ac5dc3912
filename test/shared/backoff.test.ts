import { describe, expect, it } from 'vitest';
import { backoffMs, jitteredMs } from '../../shared/backoff.ts';
import { MAX_DELAY_MS } from '../../shared/clock.ts';

const waits = { firstMs: 250, maxMs: 5_000 };

describe('The wait before another attempt', () => {
  it('doubles up to the longest one, and stays there', () => {
    const retries = [-1, 0, 1, 2, 3, 4, 5, 6, 100, 5_000];
    expect(retries.map((retry) => backoffMs(retry, waits))).toEqual([
      250, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000,
    ]);
  });

  it('is none, however often, where the first is none', () => {
    expect(backoffMs(5_000, { firstMs: 0, maxMs: 10 })).toBe(0);
  });

  it('never exceeds what a timer can wait, where that is the longest', () => {
    expect(backoffMs(999, { firstMs: 1, maxMs: MAX_DELAY_MS })).toBe(2_147_483_647);
  });

  it('is spread between half and all of it', () => {
    expect([0, 0.5, 1].map((drawn) => jitteredMs(2, waits, () => drawn))).toEqual([500, 750, 1_000]);
  });
});
