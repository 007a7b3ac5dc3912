// The best split of a node over a block of features, from exact integer histogram sums.
// Source: XGBoost 1.7, src/tree/hist/evaluate_splits.h: order of enumeration, ties and categorical splits are its own.

import type { SplitCandidate } from '../../kernels/gbdt/splitCandidate.ts';
import { LIMB_BITS } from '../../kernels/gbdt/treeDevice.ts';
import type { SplitScore, WeightBounds } from './splitScore.ts';
import type { FeatureSpec, TrainSpec } from './trainSpec.ts';

/** Sums of gradients and Hessians over the rows of a node: exact integers. */
export interface NodeSums {
  readonly g: number;
  readonly h: number;
  /** Low limbs, where a run's sums are wide. */
  readonly low?: { readonly g: number; readonly h: number };
}

/** A node that looks for a split. */
export interface OpenNode extends NodeSums {
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
  /** Low limbs of the sums. */
  readonly low: Float64Array | undefined;
  best: SplitCandidate | undefined;
}

/**
 * The best split of a node over the block's features; undefined when nothing gains.
 * @param sums the node's histogram over the block: [feature][slot][g, h]; the last slot of a feature holds missing rows.
 * @param allowed whether a feature (by its index in the run) may be split (column sampling).
 * @param low the low limbs of `sums`, where they are wide.
 */
export function findBestSplit(
  block: FeatureBlock,
  sums: Float64Array,
  node: OpenNode,
  allowed: (feature: number) => boolean,
  low?: Float64Array,
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
        low: low?.subarray(offset, offset + length),
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

/**
 * Both limbs as one number, in units of the high one. The limbs are exact and their sum rounds once, so the number
 * depends on the whole alone.
 */
export function joinLimbs(high: number, low: number): number {
  return high + low * 2 ** -LIMB_BITS;
}

/** Sums as numbers, in units of their high limbs. */
export function joinedSums(sums: NodeSums): { readonly g: number; readonly h: number } {
  const { g, h, low } = sums;
  return low === undefined ? sums : { g: joinLimbs(g, low.g), h: joinLimbs(h, low.h) };
}

/** Sums of the rows that go left, as they grow. */
interface LeftSums {
  g: number;
  h: number;
  lowG: number;
  lowH: number;
}

const noRows = (): LeftSums => ({ g: 0, h: 0, lowG: 0, lowH: 0 });
const allRows = ({ g, h, low }: OpenNode): LeftSums => ({ g, h, lowG: low?.g ?? 0, lowH: low?.h ?? 0 });

/** @param sign of what is added: -1 takes the bin's rows away. @returns false when the bin has none. */
function addBin(left: LeftSums, { sums, low }: Search, bin: number, sign: 1 | -1): boolean {
  const g = sums[2 * bin]!;
  const h = sums[2 * bin + 1]!;
  const lowG = low === undefined ? 0 : low[2 * bin]!;
  const lowH = low === undefined ? 0 : low[2 * bin + 1]!;
  if (g === 0 && h === 0 && lowG === 0 && lowH === 0) return false;
  left.g += sign * g;
  left.h += sign * h;
  if (low === undefined) return true;
  left.lowG += sign * lowG;
  left.lowH += sign * lowH;
  return true;
}

function gainOf({ score, node }: Search, left: LeftSums, monotone: number): number {
  const { low } = node;
  if (low === undefined) {
    return gainOfSides(score, node, left.g, left.h, node.g - left.g, node.h - left.h, monotone);
  }
  return gainOfSides(
    score,
    node,
    joinLimbs(left.g, left.lowG),
    joinLimbs(left.h, left.lowH),
    joinLimbs(node.g - left.g, low.g - left.lowG),
    joinLimbs(node.h - left.h, low.h - left.lowH),
    monotone,
  );
}

/** The gain of a split with these sums of its children, as findBestSplit computes it; -Infinity where there may be none. */
export function gainOfSplit(
  score: SplitScore,
  node: Pick<OpenNode, 'bounds' | 'gain'>,
  { leftG, leftH, rightG, rightH, low }: SplitCandidate,
  monotone: number,
): number {
  const joined = (high: number, limb = 0): number => (low === undefined ? high : joinLimbs(high, limb));
  return gainOfSides(
    score,
    node,
    joined(leftG, low?.leftG),
    joined(leftH, low?.leftH),
    joined(rightG, low?.rightG),
    joined(rightH, low?.rightH),
    monotone,
  );
}

function gainOfSides(
  score: SplitScore,
  node: Pick<OpenNode, 'bounds' | 'gain'>,
  leftG: number,
  leftH: number,
  rightG: number,
  rightH: number,
  monotone: number,
): number {
  if (!score.allows(leftH) || !score.allows(rightH)) return -Infinity;
  const gain = Math.fround(score.splitGain(leftG, leftH, rightG, rightH, node.bounds, monotone) - node.gain);
  // Beyond float32 (labels above 1e19): such a split is passed over, as in XGBoost.
  return Number.isFinite(gain) ? gain : -Infinity;
}

function take(
  search: Search,
  gain: number,
  left: LeftSums,
  rest: Pick<SplitCandidate, 'feature' | 'splitBin' | 'categories' | 'missingGoesLeft'>,
): void {
  const { g, h, low } = search.node;
  const { g: leftG, h: leftH, lowG, lowH } = left;
  search.best = {
    gain,
    leftG,
    leftH,
    rightG: g - leftG,
    rightH: h - leftH,
    ...(low && { low: { leftG: lowG, leftH: lowH, rightG: low.g - lowG, rightH: low.h - lowH } }),
    ...rest,
  };
}

function searchNumeric(search: Search, feature: number, { bins, monotone }: FeatureSpec): void {
  const { sums, low, node } = search;
  let bestGain = 0;
  let bestBin = -2;
  const best = noRows();
  let missingGoesLeft = false;
  let left = noRows();
  for (let bin = 0; bin < bins; bin += 1) {
    // A bin without rows parts them as the one before it, which keeps the place.
    if (!addBin(left, search, bin, 1)) continue;
    const gain = gainOf(search, left, monotone);
    if (gain > bestGain) {
      bestGain = gain;
      bestBin = bin;
      Object.assign(best, left);
    }
  }
  // Rows without a value: try them on the left as well, from the highest bin down.
  const hasMissing = (limb: Float64Array): boolean => limb[2 * bins] !== 0 || limb[2 * bins + 1] !== 0;
  if (hasMissing(sums) || (low && hasMissing(low))) {
    left = allRows(node);
    for (let bin = bins - 1; bin >= 0; bin -= 1) {
      if (!addBin(left, search, bin, -1)) continue;
      const gain = gainOf(search, left, monotone);
      if (gain > bestGain) {
        bestGain = gain;
        bestBin = bin - 1;
        Object.assign(best, left);
        missingGoesLeft = true;
      }
    }
  }
  if (bestBin === -2) return;
  take(search, bestGain, best, { feature, splitBin: bestBin, categories: undefined, missingGoesLeft });
}

/** One category against the rest; missing rows are tried on both sides. */
function searchOneCategory(search: Search, feature: number, { bins, monotone }: FeatureSpec): void {
  for (let bin = 0; bin < bins; bin += 1) {
    for (const missingGoesLeft of [true, false]) {
      const left = allRows(search.node);
      addBin(left, search, bin, -1);
      if (!missingGoesLeft) addBin(left, search, bins, -1);
      const gain = gainOf(search, left, monotone);
      if (gain > (search.best?.gain ?? 0)) {
        take(search, gain, left, {
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
  const { node } = search;
  const { bins, monotone } = spec;
  const order = orderByWeight(search, bins);
  const steps = Math.min(threshold, bins) - 1;

  let left = allRows(node);
  for (let i = 0; i < steps; i += 1) {
    addBin(left, search, order[i]!, -1);
    const gain = gainOf(search, left, monotone);
    if (gain > (search.best?.gain ?? 0)) {
      const categories = categorySet(order.slice(0, i + 1));
      take(search, gain, left, { feature, splitBin: -1, categories, missingGoesLeft: true });
    }
  }
  left = noRows();
  for (let i = bins - 1; i > bins - 1 - steps; i -= 1) {
    addBin(left, search, order[i]!, 1);
    const gain = gainOf(search, left, monotone);
    if (gain > (search.best?.gain ?? 0)) {
      const categories = categorySet(order.slice(0, i));
      take(search, gain, left, { feature, splitBin: -1, categories, missingGoesLeft: false });
    }
  }
}

/**
 * Categories by ascending leaf weight, on ties by code. A weight is a float32, whose bits order as integers; with the
 * code behind them they are one exact number, which typed arrays sort without a comparator, ten times as fast.
 */
function orderByWeight({ sums, low, score }: Search, bins: number): Int32Array {
  const of = (at: number): number => (low ? joinLimbs(sums[at]!, low[at]!) : sums[at]!);
  const weights = new Float32Array(bins);
  // Adding zero turns -0, which has bits of its own, into 0.
  for (let bin = 0; bin < bins; bin += 1) weights[bin] = score.freeWeight(of(2 * bin), of(2 * bin + 1)) + 0;
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
