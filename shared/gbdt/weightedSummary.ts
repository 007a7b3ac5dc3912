// Summaries of the distribution of one column: merging and thinning them.
// Source: the weighted quantile summary of XGBoost (src/common/quantile.h; Chen and Guestrin 2016, appendix).

/** Ascending distinct values with bounds of the weight before (rankMin) and up to (rankMax) each. */
export interface WeightedSummary {
  readonly values: Float32Array<ArrayBuffer>;
  readonly rankMin: Float64Array<ArrayBuffer>;
  readonly rankMax: Float64Array<ArrayBuffer>;
  readonly weight: Float64Array<ArrayBuffer>;
}

/** A summary's arrays, yet to be filled. */
export function summaryOfSize(size: number): WeightedSummary {
  return {
    values: new Float32Array(size),
    rankMin: new Float64Array(size),
    rankMax: new Float64Array(size),
    weight: new Float64Array(size),
  };
}

/** The first `size` entries, as views. */
export function firstEntries(
  { values, rankMin, rankMax, weight }: WeightedSummary,
  size: number,
): WeightedSummary {
  return {
    values: values.subarray(0, size),
    rankMin: rankMin.subarray(0, size),
    rankMax: rankMax.subarray(0, size),
    weight: weight.subarray(0, size),
  };
}

/**
 * At most `maxSize` entries of a summary, evenly spaced in rank, first and last kept.
 * Algorithm: WQSummary::SetPrune of XGBoost (src/common/quantile.h).
 * @param room for `maxSize` entries: the answer is views of it, where it is not `summary` itself.
 */
export function pruneSummary(
  summary: WeightedSummary,
  maxSize: number,
  room?: WeightedSummary,
): WeightedSummary {
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
  const pruned = room ? firstEntries(room, count) : summaryOfSize(count);
  for (let at = 0; at < count; at += 1) {
    const index = kept[at]!;
    pruned.values[at] = values[index]!;
    pruned.rankMin[at] = rankMin[index]!;
    pruned.rankMax[at] = rankMax[index]!;
    pruned.weight[at] = weight[index]!;
  }
  return pruned;
}

/**
 * The summary of two sets of rows together (WQSummary::SetCombine).
 * @param room for as many entries as both have: the answer is views of it. Without it there is new memory.
 */
export function mergeSummaries(
  a: WeightedSummary,
  b: WeightedSummary,
  room: WeightedSummary = summaryOfSize(a.values.length + b.values.length),
): WeightedSummary {
  const sizeA = a.values.length;
  const sizeB = b.values.length;
  if (sizeA === 0) return b;
  if (sizeB === 0) return a;
  const { values: valuesA, rankMin: minA, rankMax: maxA, weight: weightA } = a;
  const { values: valuesB, rankMin: minB, rankMax: maxB, weight: weightB } = b;
  const { values, rankMin, rankMax, weight } = room;
  // The rank after the last value taken of each.
  let afterA = 0;
  let afterB = 0;
  let i = 0;
  let j = 0;
  let n = 0;
  // What is not taken contributes the rank after its last smaller value, and before its next larger one.
  while (i < sizeA && j < sizeB) {
    const valueA = valuesA[i]!;
    const valueB = valuesB[j]!;
    if (valueA < valueB) {
      values[n] = valueA;
      rankMin[n] = minA[i]! + afterB;
      rankMax[n] = maxA[i]! + (maxB[j]! - weightB[j]!);
      weight[n] = weightA[i]!;
      afterA = minA[i]! + weightA[i]!;
      i += 1;
    } else if (valueB < valueA) {
      values[n] = valueB;
      rankMin[n] = afterA + minB[j]!;
      rankMax[n] = maxA[i]! - weightA[i]! + maxB[j]!;
      weight[n] = weightB[j]!;
      afterB = minB[j]! + weightB[j]!;
      j += 1;
    } else {
      values[n] = valueA;
      rankMin[n] = minA[i]! + minB[j]!;
      rankMax[n] = maxA[i]! + maxB[j]!;
      weight[n] = weightA[i]! + weightB[j]!;
      afterA = minA[i]! + weightA[i]!;
      afterB = minB[j]! + weightB[j]!;
      i += 1;
      j += 1;
    }
    n += 1;
  }
  for (; i < sizeA; i += 1, n += 1) {
    values[n] = valuesA[i]!;
    rankMin[n] = minA[i]! + afterB;
    rankMax[n] = maxA[i]! + maxB[sizeB - 1]!;
    weight[n] = weightA[i]!;
  }
  for (; j < sizeB; j += 1, n += 1) {
    values[n] = valuesB[j]!;
    rankMin[n] = afterA + minB[j]!;
    rankMax[n] = maxA[sizeA - 1]! + maxB[j]!;
    weight[n] = weightB[j]!;
  }
  return firstEntries(room, n);
}
