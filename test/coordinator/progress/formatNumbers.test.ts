import { describe, expect, it } from 'vitest';
import {
  formatCount,
  formatDuration,
  formatMetrics,
  formatShort,
} from '../../../coordinator/progress/formatNumbers.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0.0 s'],
    [740, '0.7 s'],
    [9_949, '9.9 s'],
    [12_300, '12 s'],
    [59_600, '1 min 0 s'],
    [83_000, '1 min 23 s'],
    [3_599_400, '59 min 59 s'],
    [4_020_000, '1 h 7 min'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('groups counts and shortens rates', () => {
    expect(formatCount(2_100_000)).toBe('2,100,000');
    expect(formatShort(2_134_000)).toBe('2.13M');
  });

  it('writes metrics with five decimals, tiny ones with an exponent, and NaN as it is', () => {
    expect(formatMetrics({ 'valid-auc': 0.731234, rmse: 1234.5678, mae: 0.00001234, x: Number.NaN })).toBe(
      'valid-auc 0.73123  rmse 1234.568  mae 1.2340e-5  x NaN',
    );
  });
});
