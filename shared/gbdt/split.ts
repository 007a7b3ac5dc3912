// The best split of a node over a block of features, from exact integer histogram sums.
// Source: XGBoost 1.7, src/tree/hist/evaluate_splits.h: order of enumeration, ties and categorical splits are its own.

import type { SplitScore, WeightBounds } from './splitScore.ts';
import type { FeatureSpec, TrainSpec } from './trainSpec.ts';

/** A split and the integer sums of its children. */
export interface SplitCandidate {
  /** Loss reduction, a float32. */
  readonly gain: number;
  readonly feature: number;
  /** Numeric: bins up to this go left; -1 sends every present value right. */
  readonly splitBin: number;
  /** Categorical: eight words, a set bit sends the category right. */
  readonly categories: Uint32Array | undefined;
  readonly missingGoesLeft: boolean;
  readonly leftG: number;
  readonly leftH: number;
  readonly rightG: number;
  readonly rightH: number;
}

/** A node that looks for a split. */
export interface OpenNode {
  readonly g: number;
  readonly h: number;
  /** Gain of the node as a leaf, a float32. */
  readonly gain: number;
  readonly bounds: WeightBounds;
}

/** Features [first, end) and where each one's slots begin in the block's histogram (in slots, not numbers). */
export interface FeatureBlock {
  readonly first: number;
  readonly end: number;
  readonly features: readonly FeatureSpec[];
  readonly score: SplitScore;
  readonly params: Pick<TrainSpec['params'], 'max_cat_to_onehot' | 'max_cat_threshold'>;
}

interface Search {
  readonly score: SplitScore;
  readonly node: OpenNode;
  readonly sums: Float64Array;
  best: SplitCandidate | undefined;
}

/**
 * The best split of a node over the block's features; undefined when nothing gains.
 * @param sums the node's histogram over the block: [feature][slot][g, h]; the last slot of a feature holds missing rows.
 * @param allowed whether a feature (by its index in the run) may be split (column sampling).
 */
export function findBestSplit(
  block: FeatureBlock,
  sums: Float64Array,
  node: OpenNode,
  allowed: (feature: number) => boolean,
): SplitCandidate | undefined {
  let best: SplitCandidate | undefined;
  let offset = 0;
  for (let feature = block.first; feature < block.end; feature += 1) {
    const spec = block.features[feature]!;
    const length = 2 * (spec.bins + 1);
    if (allowed(feature)) {
      const search: Search = {
        score: block.score,
        node,
        sums: sums.subarray(offset, offset + length),
        best: undefined,
      };
      if (!spec.categorical) searchNumeric(search, feature, spec);
      else if (spec.bins < block.params.max_cat_to_onehot) searchOneCategory(search, feature, spec);
      else searchPartition(search, feature, spec, block.params.max_cat_threshold);
      // The same gain in a later feature does not replace an earlier one's.
      if (search.best !== undefined && search.best.gain > (best?.gain ?? 0)) best = search.best;
    }
    offset += length;
  }
  return best;
}

/** The winner of two candidates of different features: more gain, on ties the lower feature. */
export function betterSplit(
  a: SplitCandidate | undefined,
  b: SplitCandidate | undefined,
): SplitCandidate | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.gain !== b.gain) return a.gain > b.gain ? a : b;
  return a.feature <= b.feature ? a : b;
}

function gainOf(search: Search, leftG: number, leftH: number, monotone: number): number {
  const { score, node } = search;
  const rightG = node.g - leftG;
  const rightH = node.h - leftH;
  if (!score.allows(leftH) || !score.allows(rightH)) return -Infinity;
  const gain = Math.fround(score.splitGain(leftG, leftH, rightG, rightH, node.bounds, monotone) - node.gain);
  // Beyond float32 (labels above 1e19): such a split is passed over, as in XGBoost.
  return Number.isFinite(gain) ? gain : -Infinity;
}

function take(
  search: Search,
  gain: number,
  leftG: number,
  leftH: number,
  rest: Pick<SplitCandidate, 'feature' | 'splitBin' | 'categories' | 'missingGoesLeft'>,
): void {
  const { node } = search;
  search.best = { gain, leftG, leftH, rightG: node.g - leftG, rightH: node.h - leftH, ...rest };
}

function searchNumeric(search: Search, feature: number, { bins, monotone }: FeatureSpec): void {
  const { sums, node } = search;
  let bestGain = 0;
  let bestBin = -2;
  let bestG = 0;
  let bestH = 0;
  let missingGoesLeft = false;
  let leftG = 0;
  let leftH = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const binG = sums[2 * bin]!;
    const binH = sums[2 * bin + 1]!;
    // A bin without rows parts them as the one before it, which keeps the place.
    if (binG === 0 && binH === 0) continue;
    leftG += binG;
    leftH += binH;
    const gain = gainOf(search, leftG, leftH, monotone);
    if (gain > bestGain) {
      bestGain = gain;
      bestBin = bin;
      bestG = leftG;
      bestH = leftH;
    }
  }
  // Rows without a value: try them on the left as well, from the highest bin down.
  if (sums[2 * bins] !== 0 || sums[2 * bins + 1] !== 0) {
    leftG = node.g;
    leftH = node.h;
    for (let bin = bins - 1; bin >= 0; bin -= 1) {
      const binG = sums[2 * bin]!;
      const binH = sums[2 * bin + 1]!;
      if (binG === 0 && binH === 0) continue;
      leftG -= binG;
      leftH -= binH;
      const gain = gainOf(search, leftG, leftH, monotone);
      if (gain > bestGain) {
        bestGain = gain;
        bestBin = bin - 1;
        bestG = leftG;
        bestH = leftH;
        missingGoesLeft = true;
      }
    }
  }
  if (bestBin === -2) return;
  take(search, bestGain, bestG, bestH, {
    feature,
    splitBin: bestBin,
    categories: undefined,
    missingGoesLeft,
  });
}

/** One category against the rest; missing rows are tried on both sides. */
function searchOneCategory(search: Search, feature: number, { bins, monotone }: FeatureSpec): void {
  const { sums, node } = search;
  const missingG = sums[2 * bins]!;
  const missingH = sums[2 * bins + 1]!;
  for (let bin = 0; bin < bins; bin += 1) {
    for (const missingGoesLeft of [true, false]) {
      const leftG = node.g - sums[2 * bin]! - (missingGoesLeft ? 0 : missingG);
      const leftH = node.h - sums[2 * bin + 1]! - (missingGoesLeft ? 0 : missingH);
      const gain = gainOf(search, leftG, leftH, monotone);
      if (gain > (search.best?.gain ?? 0)) {
        take(search, gain, leftG, leftH, {
          feature,
          splitBin: -1,
          categories: categorySet([bin]),
          missingGoesLeft,
        });
      }
    }
  }
}

/** Categories in the order of their leaf weights, cut in two: first with missing rows left, then right. */
function searchPartition(search: Search, feature: number, spec: FeatureSpec, threshold: number): void {
  const { sums, node, score } = search;
  const { bins, monotone } = spec;
  const order = orderByWeight(sums, bins, score);
  const steps = Math.min(threshold, bins) - 1;

  let leftG = node.g;
  let leftH = node.h;
  for (let i = 0; i < steps; i += 1) {
    leftG -= sums[2 * order[i]!]!;
    leftH -= sums[2 * order[i]! + 1]!;
    const gain = gainOf(search, leftG, leftH, monotone);
    if (gain > (search.best?.gain ?? 0)) {
      const categories = categorySet(order.slice(0, i + 1));
      take(search, gain, leftG, leftH, { feature, splitBin: -1, categories, missingGoesLeft: true });
    }
  }
  leftG = 0;
  leftH = 0;
  for (let i = bins - 1; i > bins - 1 - steps; i -= 1) {
    leftG += sums[2 * order[i]!]!;
    leftH += sums[2 * order[i]! + 1]!;
    const gain = gainOf(search, leftG, leftH, monotone);
    if (gain > (search.best?.gain ?? 0)) {
      const categories = categorySet(order.slice(0, i));
      take(search, gain, leftG, leftH, { feature, splitBin: -1, categories, missingGoesLeft: false });
    }
  }
}

/**
 * Categories by ascending leaf weight, on ties by code. A weight is a float32, whose bits order as integers; with the
 * code behind them they are one exact number, which typed arrays sort without a comparator, ten times as fast.
 */
function orderByWeight(sums: Float64Array, bins: number, score: SplitScore): Int32Array {
  const weights = new Float32Array(bins);
  // Adding zero turns -0, which has bits of its own, into 0.
  for (let bin = 0; bin < bins; bin += 1)
    weights[bin] = score.freeWeight(sums[2 * bin]!, sums[2 * bin + 1]!) + 0;
  const bits = new Int32Array(weights.buffer);
  const keys = new Float64Array(bins);
  for (let bin = 0; bin < bins; bin += 1) {
    const size = bits[bin]! & 0x7fffffff;
    keys[bin] = (bits[bin]! < 0 ? -size : size) * 256 + bin;
  }
  keys.sort();
  return Int32Array.from(keys, (key) => key - 256 * Math.floor(key / 256));
}

function categorySet(categories: Iterable<number>): Uint32Array {
  const words = new Uint32Array(8);
  for (const category of categories) words[category >> 5]! |= 1 << (category & 31);
  return words;
}
