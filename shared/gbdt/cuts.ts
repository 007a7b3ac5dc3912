// Cut points: where a feature's values are divided into bins. Semantics are XGBoost's (src/common/quantile.cc):
// bin(x) is the number of cuts <= x, so x < cut[b] means bin(x) <= b, and the last cut lies above every value.

import { MAX_VALUE_BINS } from '../../kernels/gbdt/treeDevice.ts';
import { pruneSummary, type WeightedSummary } from './weightedSummary.ts';

export interface FeatureCuts {
  /** Ascending; the last lies above the largest value of the data it was made from. */
  readonly cuts: Float32Array<ArrayBuffer>;
  /** A value below every value of the data: the threshold that sends every present value right. */
  readonly belowAll: number;
  /** True when bins are category codes; cuts are then 0, 1, 2, … */
  readonly categorical: boolean;
}

/**
 * Cuts of a numeric feature from the summary of its values: one bin a distinct value while they fit, else weighted quantiles.
 * A column without a value gets one bin that stays empty.
 * @param maxBin most bins; more than MAX_VALUE_BINS are never made.
 */
export function buildCuts(whole: WeightedSummary, maxBin: number): FeatureCuts {
  const bins = Math.min(maxBin, MAX_VALUE_BINS);
  const summary = pruneSummary(whole, bins + 1);
  const size = summary.values.length;
  if (size === 0) return { cuts: Float32Array.of(1e-5), belowAll: Math.fround(-1e-5), categorical: false };
  const first = summary.values[0]!;
  const cuts: number[] = [];
  for (let i = 1; i < Math.min(size, bins); i += 1) cuts.push(summary.values[i]!);
  cuts.push(aboveValue(summary.values[size - 1]!));
  return { cuts: Float32Array.from(cuts), belowAll: belowValue(first), categorical: false };
}

/** Cuts of a categorical feature with codes 0..categories-1. */
export function buildCategoricalCuts(categories: number): FeatureCuts {
  return {
    cuts: Float32Array.from({ length: Math.max(1, categories) }, (_, code) => code),
    belowAll: -1,
    categorical: true,
  };
}

/** XGBoost's last cut, kept finite for values near the largest float. */
function aboveValue(value: number): number {
  return Math.min(Math.fround(value + Math.fround(Math.abs(value) + Math.fround(1e-5))), LARGEST_FLOAT);
}

function belowValue(value: number): number {
  return Math.max(Math.fround(Math.fround(value - Math.abs(value)) - Math.fround(1e-5)), -LARGEST_FLOAT);
}

const LARGEST_FLOAT = 3.4028234663852886e38;
