// The split search against trying every split in the plainest way.

import { describe, expect, it } from 'vitest';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { FeatureSampling } from '../../../shared/gbdt/featureSampling.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import type { SplitCandidate } from '../../../kernels/gbdt/splitCandidate.ts';
import { betterSplit, findBestSplit } from '../../../shared/gbdt/split.ts';
import { decodeSplits, encodeSplits } from '../../../shared/gbdt/splitCodec.ts';
import { SplitScore, UNBOUNDED } from '../../../shared/gbdt/splitScore.ts';
import { seededRandom } from '../../setup/seededRandom.ts';

const ONE = 2 ** 24;

function specOf(bins: readonly number[], raw: Record<string, unknown> = {}, categorical = false) {
  return buildTrainSpec({
    params: resolveParams({ objective: 'binary:logistic', ...raw }),
    numBoostRound: 1,
    features: bins.map((count, f) => ({
      name: `f${f}`,
      cuts: { cuts: Float32Array.from({ length: count }, (_, i) => i + 1), belowAll: -1, categorical },
    })),
    target: { maxAbsLabel: 1, maxWeight: 1 },
    trainRows: 100,
    evaluationSets: [],
  });
}

function search(
  spec: ReturnType<typeof specOf>,
  sums: Float64Array,
  allowed: (feature: number) => boolean = () => true,
) {
  const score = new SplitScore(spec);
  let g = 0;
  let h = 0;
  for (let slot = 0; slot < spec.device.slotsPerFeature[0]!; slot += 1) {
    g += sums[2 * slot]!;
    h += sums[2 * slot + 1]!;
  }
  const node = { g, h, gain: score.gain(g, h, score.weight(g, h, UNBOUNDED)), bounds: UNBOUNDED };
  const block = { first: 0, end: spec.features.length, features: spec.features, score, params: spec.params };
  return findBestSplit(block, sums, node, allowed);
}

/** Histograms of features that see the same rows: all features have the same totals. */
function randomSums(bins: readonly number[], seed: number, missing: boolean): Float64Array {
  const random = seededRandom(seed);
  const rows = Array.from({ length: 300 }, () => ({
    g: Math.round((random() - 0.5) * ONE),
    h: Math.round(random() * 0.25 * ONE),
  }));
  const parts = bins.map((count) => {
    const sums = new Float64Array(2 * (count + 1));
    for (const { g, h } of rows) {
      const slot = missing && random() < 0.2 ? count : Math.floor(random() * count);
      sums[2 * slot]! += g;
      sums[2 * slot + 1]! += h;
    }
    return Array.from(sums);
  });
  return Float64Array.from(parts.flat());
}

/** Gain of a split in doubles, XGBoost's formula. */
function plainGain(leftG: number, leftH: number, g: number, h: number, lambda: number): number {
  const score = (a: number, b: number): number => (a / ONE) ** 2 / (b / ONE + lambda);
  return score(leftG, leftH) + score(g - leftG, h - leftH) - score(g, h);
}

describe('the best numeric split', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'is the best of all bins, features and sides for missing rows (seed %i)',
    (seed) => {
      const bins = [2, 63, 17];
      const missing = seed % 2 === 0;
      const sums = randomSums(bins, seed, missing);
      const found = search(specOf(bins), sums)!;
      let best = 0;
      let offset = 0;
      for (const count of bins) {
        const part = sums.subarray(offset, offset + 2 * (count + 1));
        offset += part.length;
        const total = (k: number): number =>
          part.filter((_, i) => i % 2 === k).reduce((sum, value) => sum + value, 0);
        for (const withMissing of [false, true]) {
          let leftG = withMissing ? part[2 * count]! : 0;
          let leftH = withMissing ? part[2 * count + 1]! : 0;
          for (let bin = 0; bin < count; bin += 1) {
            leftG += part[2 * bin]!;
            leftH += part[2 * bin + 1]!;
            if (leftH < ONE || total(1) - leftH < ONE) continue;
            best = Math.max(best, plainGain(leftG, leftH, total(0), total(1), 1));
          }
        }
      }
      expect(found.gain).toBeCloseTo(best, 4);
      expect(found.leftH + found.rightH).toBe(
        sums
          .subarray(0, 6)
          .filter((_, i) => i % 2 === 1)
          .reduce((a, b) => a + b, 0),
      );
    },
  );

  it('from sums of two limbs is that of the exact sums, whatever the carry between the limbs', () => {
    const [bins, limb] = [40, 2n ** 24n];
    const random = seededRandom(77);
    const exact = Array.from({ length: bins + 1 }, (): [g: bigint, h: bigint] => {
      // From a unit of the low limb to 2^68 of them.
      const size = 2n ** BigInt(Math.floor(random() * 50));
      return [
        BigInt(Math.round((random() - 0.5) * 2 ** 20)) * size,
        BigInt(Math.ceil(random() * 2 ** 18)) * size,
      ];
    });
    const total = (k: 0 | 1, from: readonly [bigint, bigint][]): bigint =>
      from.reduce((sum, one) => sum + one[k], 0n);
    const spec = specOf([bins], { lambda: 0, min_child_weight: 0 });
    const score = new SplitScore(spec);
    /** Rounds once, to a double. */
    const number = (units: bigint): number => Number(units) / 2 ** 24;
    const gainOf = (g: bigint, h: bigint): number => score.gain(number(g), number(h), 0);
    const [g, h] = [total(0, exact), total(1, exact)];
    let best = { gain: 0, g: 0n, h: 0n };
    for (const withMissing of [false, true]) {
      for (let bin = 0; bin < bins; bin += 1) {
        const left = [...exact.slice(0, bin + 1), ...(withMissing ? exact.slice(bins) : [])];
        const [leftG, leftH] = [total(0, left), total(1, left)];
        const split = Math.fround(gainOf(leftG, leftH) + gainOf(g - leftG, h - leftH));
        const gain = Math.fround(split - gainOf(g, h));
        if (gain > best.gain) best = { gain, g: leftG, h: leftH };
      }
    }
    // Limbs as they come from many rows: their sums are not carried over.
    const cut = exact.map((sums) => sums.map((sum) => [sum / limb - 5n, (sum % limb) + 5n * limb] as const));
    const sums = Float64Array.from(cut.flat(), ([high]) => Number(high));
    const low = Float64Array.from(cut.flat(), ([, rest]) => Number(rest));
    const add = (of: Float64Array, k: number): number =>
      of.reduce((sum, one, i) => (i % 2 === k ? sum + one : sum), 0);
    const node = {
      g: add(sums, 0),
      h: add(sums, 1),
      low: { g: add(low, 0), h: add(low, 1) },
      gain: gainOf(g, h),
      bounds: UNBOUNDED,
    };
    const block = { first: 0, end: 1, features: spec.features, score, params: spec.params };
    const found = findBestSplit(block, sums, node, () => true, low)!;
    expect(found.gain).toBe(best.gain);
    const whole = (high: number, rest: number): bigint => BigInt(high) * limb + BigInt(rest);
    expect(whole(found.leftG, found.low!.leftG)).toBe(best.g);
    expect(whole(found.leftH, found.low!.leftH)).toBe(best.h);
    expect(whole(found.rightG, found.low!.rightG)).toBe(g - best.g);
    expect(whole(found.rightH, found.low!.rightH)).toBe(h - best.h);
    const message = { root: node, candidates: [found, undefined] };
    const { root, candidates } = decodeSplits(encodeSplits(message), 2, 1, true);
    expect(candidates).toEqual(message.candidates);
    expect(root).toEqual({ g: node.g, h: node.h, low: node.low });
  });

  it('is of the lower feature when two gain the same, and skips features that were not drawn', () => {
    const one = randomSums([5], 9, false);
    const sums = Float64Array.from([...one, ...one, ...one]);
    expect(search(specOf([5, 5, 5]), sums)!.feature).toBe(0);
    expect(search(specOf([5, 5, 5]), sums, (feature) => feature > 0)!.feature).toBe(1);
    expect(search(specOf([5, 5, 5]), sums, () => false)).toBeUndefined();
  });

  it('does not exist where children would weigh too little', () => {
    expect(search(specOf([5], { min_child_weight: 1000 }), randomSums([5], 9, false))).toBeUndefined();
  });
});

describe('the best categorical split', () => {
  it('of few categories sets one apart', () => {
    const found = search(specOf([3], {}, true), randomSums([3], 4, true))!;
    const set = Array.from(found.categories!);
    expect([1, 2, 4]).toContain(set[0]);
  });

  it('of many is the best of all two-way partitions when nothing is missing', () => {
    const bins = 8;
    const sums = randomSums([bins], 11, false);
    const found = search(specOf([bins], { lambda: 0, min_child_weight: 0 }, true), sums)!;
    let best = 0;
    const total = (k: number): number =>
      sums.filter((_, i) => i % 2 === k).reduce((sum, value) => sum + value, 0);
    for (let set = 1; set < 2 ** bins - 1; set += 1) {
      let leftG = 0;
      let leftH = 0;
      for (let bin = 0; bin < bins; bin += 1) {
        if (((set >> bin) & 1) === 0) continue;
        leftG += sums[2 * bin]!;
        leftH += sums[2 * bin + 1]!;
      }
      best = Math.max(best, plainGain(leftG, leftH, total(0), total(1), 0));
    }
    // Sorting by weight finds the best of all partitions (Fisher 1958), but for float32.
    expect(found.gain).toBeCloseTo(best, 4);
  });
});

describe('splits between members', () => {
  const candidate: SplitCandidate = {
    gain: Math.fround(1.5),
    feature: 3,
    splitBin: -1,
    categories: undefined,
    missingGoesLeft: true,
    leftG: -5,
    leftH: 2 ** 50,
    rightG: 7,
    rightH: 1,
  };
  const other = {
    ...candidate,
    feature: 1,
    categories: Uint32Array.from({ length: 8 }, (_, i) => 2 ** 32 - 1 - i),
    splitBin: 0,
  };

  it('arrive unchanged', () => {
    const message = { root: { g: -9, h: 2 ** 52 }, candidates: [candidate, undefined, other] };
    expect(decodeSplits(encodeSplits(message), 3, 4)).toEqual(message);
    expect(decodeSplits(encodeSplits({ root: undefined, candidates: [] }), 0, 4)).toEqual({
      root: undefined,
      candidates: [],
    });
  });

  it('that are damaged are refused', () => {
    const bytes = encodeSplits({ root: undefined, candidates: [candidate, other] });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeSplits(bytes.subarray(0, length), 2, 4)).toThrow(/malformed split message/);
    }
    expect(() => decodeSplits(bytes, 1, 4)).toThrow(/bytes too many/);
    expect(() => decodeSplits(bytes, 2, 3)).toThrow(/feature 3/);
  });

  it('are compared by gain, then by feature, whoever comes first', () => {
    expect(betterSplit(candidate, other)).toBe(other);
    expect(betterSplit(other, candidate)).toBe(other);
    expect(betterSplit(candidate, { ...other, gain: 1 })).toBe(candidate);
    expect(betterSplit(undefined, other)).toBe(other);
  });
});

describe('features drawn for a tree, level and node', () => {
  const features = (sampling: FeatureSampling, depth: number, node: number): number[] =>
    Array.from({ length: 20 }, (_, f) => f).filter(sampling.forNode(depth, node));

  it('are as many as the shares say, and nested', () => {
    const params = resolveParams({ colsample_bytree: 0.5, colsample_bylevel: 0.5, colsample_bynode: 0.5 });
    const sampling = new FeatureSampling(params, 4, 20);
    expect(features(sampling, 1, 1).length).toBe(2);
    const level = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((node) => features(sampling, 1, node)));
    expect(level.size).toBeLessThanOrEqual(5);
  });

  it('are all without sampling, and at least one with the least share', () => {
    expect(features(new FeatureSampling(resolveParams({}), 0, 20), 0, 0).length).toBe(20);
    expect(
      features(new FeatureSampling(resolveParams({ colsample_bytree: 0.001 }), 0, 20), 0, 0).length,
    ).toBe(1);
  });

  it('differ between trees and seeds, each feature being drawn about as often', () => {
    const counts = Array.from({ length: 20 }, () => 0);
    for (let tree = 0; tree < 2000; tree += 1) {
      const params = resolveParams({ colsample_bytree: 0.25, seed: tree % 3 });
      for (const feature of features(new FeatureSampling(params, tree, 20), 0, 0)) counts[feature]! += 1;
    }
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(100);
  });
});
