import { describe, expect, it } from 'vitest';
import { latencyQuantiles } from '../../../../coordinator/core/serving/latencyQuantiles.ts';
import { latencyCounts } from './servingReportOf.ts';

describe('Quantiles of latencies', () => {
  it('are found in the bucket where so many are done', () => {
    // 90 of 1 to 2 ms, 10 of 50 to 100 ms.
    const quantiles = latencyQuantiles(latencyCounts({ 0.002: 90, 0.1: 10 }))!;
    expect(quantiles.p50Ms).toBeCloseTo(1 + 50 / 90, 9);
    expect(quantiles.p95Ms).toBeCloseTo(75, 9);
    expect(quantiles.p99Ms).toBeCloseTo(95, 9);
  });

  it('begin at nothing in the first bucket, and end at the last bound', () => {
    expect(latencyQuantiles(latencyCounts({ 0.0001: 4 }))).toEqual({
      p50Ms: 0.05,
      p95Ms: 0.095,
      p99Ms: 0.099,
    });
    expect(latencyQuantiles(latencyCounts({ [Infinity]: 1 }))).toEqual({
      p50Ms: 60_000,
      p95Ms: 60_000,
      p99Ms: 60_000,
    });
  });

  it('are none of nothing', () => {
    expect(latencyQuantiles(latencyCounts())).toBeUndefined();
    expect(latencyQuantiles([])).toBeUndefined();
  });
});
