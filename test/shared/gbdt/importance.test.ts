import { describe, expect, it } from 'vitest';
import { importanceOf, ImportanceSums } from '../../../shared/gbdt/model/importance.ts';
import type { GbdtModel, ModelTree } from '../../../shared/gbdt/model/model.ts';

/** A root and two leaves. */
function stump(feature: number, gain: number, cover: number): ModelTree {
  return {
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    parent: Int32Array.of(-1, 0, 0),
    feature: Int32Array.of(feature, 0, 0),
    threshold: new Float32Array(3),
    defaultLeft: new Uint8Array(3),
    categories: new Map(),
    // What leaves have is not counted.
    gain: Float32Array.of(gain, 99, 99),
    cover: Float32Array.of(cover, 99, 99),
    weight: new Float32Array(3),
  };
}

describe('The importance of features', () => {
  it('is of splits alone: how many, and what they gained and covered', () => {
    const model = {
      featureNames: ['a', 'b'],
      numFeature: 3,
      trees: [stump(0, 4, 10), stump(0, 2, 20), stump(2, 8, 6)],
    } as unknown as GbdtModel;
    expect(importanceOf(model)).toEqual([
      { feature: 'f2', weight: 1, gain: 8, cover: 6, totalGain: 8, totalCover: 6 },
      { feature: 'a', weight: 2, gain: 3, cover: 15, totalGain: 6, totalCover: 30 },
    ]);
  });

  it('is empty for trees of a leaf', () => {
    const sums = new ImportanceSums();
    sums.add({ left: [-1], feature: [0], gain: [0], cover: [5] });
    expect(sums.ranked(String)).toEqual([]);
  });
});
