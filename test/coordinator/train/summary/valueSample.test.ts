import { describe, expect, it } from 'vitest';
import { ValueSample } from '../../../../coordinator/train/summary/valueSample.ts';

function sampled(count: number, pieces: number): number[] {
  const sample = new ValueSample();
  for (let from = 0; from < count; from += pieces) {
    sample.add(Float32Array.from({ length: Math.min(pieces, count - from) }, (_, i) => from + i));
  }
  return [...sample.values];
}

describe('A sample of values', () => {
  it.each([0, 1, 63, 64, 65, 257, 4096])('has all of %i values', (count) => {
    expect(sampled(count, 50)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('has evenly spaced ones of more, a few thousand at the most', () => {
    expect(sampled(4097, 4097)).toEqual(Array.from({ length: 2049 }, (_, i) => 2 * i));
    expect(sampled(100_000, 1000)).toEqual(Array.from({ length: 3125 }, (_, i) => 32 * i));
  });

  it('does not depend on the pieces in which the values come', () => {
    const whole = sampled(70_001, 70_001);
    for (const pieces of [1, 7, 1024, 65_536]) expect(sampled(70_001, pieces)).toEqual(whole);
  });
});
