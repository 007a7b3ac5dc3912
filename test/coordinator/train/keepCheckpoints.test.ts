import { describe, expect, it } from 'vitest';
import { surplusCheckpoints, type KeepRule } from '../../../coordinator/train/record/keepCheckpoints.ts';

const saved = [0.5, 0.2, NaN, 0.9, 0.3].map((auc, index) => ({ rounds: index + 1, metrics: { auc } }));
const kept = (rule: KeepRule): number[] => {
  const surplus = surplusCheckpoints(saved, rule);
  return saved.filter((checkpoint) => !surplus.includes(checkpoint)).map(({ rounds }) => rounds);
};

describe('surplusCheckpoints', () => {
  it('keeps all without a number to keep', () => {
    expect(kept({ scoreOrder: 'max' })).toEqual([1, 2, 3, 4, 5]);
    expect(kept({ scoreOrder: 'max', numToKeep: 5 })).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps the most recent without a score', () => {
    expect(kept({ scoreOrder: 'max', numToKeep: 2 })).toEqual([4, 5]);
  });

  it('keeps the best by score, and always the last', () => {
    expect(kept({ scoreOrder: 'max', numToKeep: 2, scoreAttribute: 'auc' })).toEqual([1, 4, 5]);
    expect(kept({ scoreOrder: 'min', numToKeep: 2, scoreAttribute: 'auc' })).toEqual([2, 5]);
  });

  it('counts a checkpoint without the score, or with NaN, as the worst', () => {
    expect(kept({ scoreOrder: 'min', numToKeep: 4, scoreAttribute: 'auc' })).toEqual([1, 2, 4, 5]);
    expect(kept({ scoreOrder: 'max', numToKeep: 1, scoreAttribute: 'absent' })).toEqual([5]);
  });
});
