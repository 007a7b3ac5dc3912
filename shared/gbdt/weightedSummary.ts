// Summaries of the distribution of one column: merging and thinning them.
// Source: the weighted quantile summary of XGBoost (src/common/quantile.h; Chen and Guestrin 2016, appendix).

/** Ascending distinct values with bounds of the weight before (rankMin) and up to (rankMax) each. */
export interface WeightedSummary {
  readonly values: Float32Array<ArrayBuffer>;
  readonly rankMin: Float64Array<ArrayBuffer>;
  readonly rankMax: Float64Array<ArrayBuffer>;
  readonly weight: Float64Array<ArrayBuffer>;
}

/**
 * At most `maxSize` entries of a summary, evenly spaced in rank, first and last kept.
 * Algorithm: WQSummary::SetPrune of XGBoost (src/common/quantile.h).
 */
export function pruneSummary(summary: WeightedSummary, maxSize: number): WeightedSummary {
  const { values, rankMin, rankMax, weight } = summary;
  const last = values.length - 1;
  if (values.length <= maxSize) return summary;
  const begin = rankMax[0]!;
  const range = rankMin[last]! - begin;
  const parts = maxSize - 1;
  const kept = new Int32Array(maxSize);
  let count = 1;
  let i = 1;
  for (let k = 1; k < parts; k += 1) {
    const twiceRank = 2 * ((k * range) / parts + begin);
    while (i < last && twiceRank >= rankMax[i + 1]! + rankMin[i + 1]!) i += 1;
    if (i === last) break;
    const nearer = twiceRank < rankMin[i]! + weight[i]! + (rankMax[i + 1]! - weight[i + 1]!) ? i : i + 1;
    if (nearer !== kept[count - 1]) kept[count++] = nearer;
  }
  if (kept[count - 1] !== last) kept[count++] = last;
  return {
    values: pick(values, kept, new Float32Array(count)),
    rankMin: pick(rankMin, kept, new Float64Array(count)),
    rankMax: pick(rankMax, kept, new Float64Array(count)),
    weight: pick(weight, kept, new Float64Array(count)),
  };
}

function pick<T extends Float32Array | Float64Array>(from: T, indexes: Int32Array, to: T): T {
  for (let i = 0; i < to.length; i += 1) to[i] = from[indexes[i]!]!;
  return to;
}

/** The summary of two sets of rows together (WQSummary::SetCombine). */
export function mergeSummaries(a: WeightedSummary, b: WeightedSummary): WeightedSummary {
  if (a.values.length === 0) return b;
  if (b.values.length === 0) return a;
  const size = a.values.length + b.values.length;
  const values = new Float32Array(size);
  const rankMin = new Float64Array(size);
  const rankMax = new Float64Array(size);
  const weight = new Float64Array(size);
  let i = 0;
  let j = 0;
  let n = 0;
  while (i < a.values.length || j < b.values.length) {
    const takeA = j >= b.values.length || (i < a.values.length && a.values[i]! <= b.values[j]!);
    const takeB = i >= a.values.length || (j < b.values.length && b.values[j]! <= a.values[i]!);
    values[n] = takeA ? a.values[i]! : b.values[j]!;
    // What is not taken contributes the rank after its last smaller value, and before its next larger one.
    rankMin[n] =
      (takeA ? a.rankMin[i]! : rankAfter(a, i - 1)) + (takeB ? b.rankMin[j]! : rankAfter(b, j - 1));
    rankMax[n] = (takeA ? a.rankMax[i]! : rankBefore(a, i)) + (takeB ? b.rankMax[j]! : rankBefore(b, j));
    weight[n] = (takeA ? a.weight[i]! : 0) + (takeB ? b.weight[j]! : 0);
    if (takeA) i += 1;
    if (takeB) j += 1;
    n += 1;
  }
  return {
    values: values.slice(0, n),
    rankMin: rankMin.slice(0, n),
    rankMax: rankMax.slice(0, n),
    weight: weight.slice(0, n),
  };
}

function rankAfter({ rankMin, weight }: WeightedSummary, index: number): number {
  return index < 0 ? 0 : rankMin[index]! + weight[index]!;
}

function rankBefore({ rankMax, weight }: WeightedSummary, index: number): number {
  return index < rankMax.length ? rankMax[index]! - weight[index]! : rankMax[index - 1]!;
}
