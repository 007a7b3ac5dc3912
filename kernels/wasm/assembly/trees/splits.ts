// The best split of a node over a stretch of features; shared/gbdt/split.ts has the definition. The order in which splits are
// tried, and which of equal ones stays, is XGBoost's.

import { RESULT_BYTES } from './kernelNumbers';
import { freeWeight, gainOfSides } from './score';

// Parameters: 0 rules, 4 nodes, 8 bytes of a node, 12 first feature, 16 end of the features, 20 features of a task, 24 tasks a node,
// 28 features of the run ([feature]: u32 bins, u32 1 for categories, i32 monotone, u32 first slot), 32 whether features may be split
// ([node][feature]: u8), 36 results, 40 scratch, 44 bytes of a thread's scratch.

// Sums of the rows that go left while a feature is searched: at 0 g, 8 h, 16 and 24 their low limbs. A thread's scratch begins with
// them; at 32 are those of the best split so far, at 64 the keys of categories.

function copyFour(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}

function clearFour(at: usize): void {
  v128.store(at, i64x2.splat(0));
  v128.store(at, i64x2.splat(0), 16);
}

/** Both limbs as one number. */
function joined(high: f64, low: f64): f64 {
  return high + low * (1.0 / 16777216.0);
}

/** Adds the rows of a bin, or takes them away. @returns whether there are any. */
function addBin(left: usize, sums: usize, lows: usize, bin: usize, sign: f64): bool {
  const g = load<f64>(sums + 16 * bin);
  const h = load<f64>(sums + 16 * bin, 8);
  const lowG = lows === 0 ? 0 : load<f64>(lows + 16 * bin);
  const lowH = lows === 0 ? 0 : load<f64>(lows + 16 * bin, 8);
  if (g === 0 && h === 0 && lowG === 0 && lowH === 0) return false;
  store<f64>(left, load<f64>(left) + sign * g);
  store<f64>(left, load<f64>(left, 8) + sign * h, 8);
  if (lows === 0) return true;
  store<f64>(left, load<f64>(left, 16) + sign * lowG, 16);
  store<f64>(left, load<f64>(left, 24) + sign * lowH, 24);
  return true;
}

function gainOf(rules: usize, node: usize, left: usize, monotone: i32): f64 {
  const g = load<f64>(left);
  const h = load<f64>(left, 8);
  const restG = load<f64>(node) - g;
  const restH = load<f64>(node, 8) - h;
  if (load<u32>(node, 60) === 0) return gainOfSides(rules, node, g, h, restG, restH, monotone);
  const lowG = load<f64>(left, 16);
  const lowH = load<f64>(left, 24);
  return gainOfSides(
    rules,
    node,
    joined(g, lowG),
    joined(h, lowH),
    joined(restG, load<f64>(node, 16) - lowG),
    joined(restH, load<f64>(node, 24) - lowH),
    monotone,
  );
}

function take(
  result: usize,
  gain: f64,
  feature: u32,
  bin: i32,
  missingLeft: u32,
  categorical: u32,
  left: usize,
): void {
  store<f64>(result, gain);
  store<u32>(result, feature, 8);
  store<i32>(result, bin, 12);
  store<u32>(result, missingLeft, 16);
  store<u32>(result, categorical, 20);
  copyFour(result + 24, left);
}

function isMissing(sums: usize, lows: usize, bins: usize): bool {
  const at = sums + 16 * bins;
  if (load<f64>(at) !== 0 || load<f64>(at, 8) !== 0) return true;
  return lows !== 0 && (load<f64>(lows + 16 * bins) !== 0 || load<f64>(lows + 16 * bins, 8) !== 0);
}

/** Numbers: rows up to a bin go left, with the missing ones on either side. */
function searchNumeric(
  rules: usize,
  node: usize,
  sums: usize,
  lows: usize,
  bins: usize,
  monotone: i32,
  feature: u32,
  scratch: usize,
  result: usize,
): void {
  const best = scratch + 32;
  let bestGain: f64 = 0;
  let bestBin: i32 = -2;
  let missingLeft: u32 = 0;
  clearFour(scratch);
  for (let bin: usize = 0; bin < bins; bin += 1) {
    // A bin without rows parts them as the one before it, which keeps the place.
    if (!addBin(scratch, sums, lows, bin, 1)) continue;
    const gain = gainOf(rules, node, scratch, monotone);
    if (gain > bestGain) {
      bestGain = gain;
      bestBin = <i32>bin;
      copyFour(best, scratch);
    }
  }
  // Rows without a value: on the left as well, from the highest bin down.
  if (isMissing(sums, lows, bins)) {
    copyFour(scratch, node);
    for (let bin: i32 = <i32>bins - 1; bin >= 0; bin -= 1) {
      if (!addBin(scratch, sums, lows, bin, -1)) continue;
      const gain = gainOf(rules, node, scratch, monotone);
      if (gain > bestGain) {
        bestGain = gain;
        bestBin = bin - 1;
        missingLeft = 1;
        copyFour(best, scratch);
      }
    }
  }
  if (bestBin !== -2 && bestGain > load<f64>(result)) {
    take(result, bestGain, feature, bestBin, missingLeft, 0, best);
  }
}

function clearCategories(result: usize): void {
  memory.fill(result + 56, 0, 32);
}

function addCategory(result: usize, category: u32): void {
  const word = result + 56 + 4 * <usize>(category >> 5);
  store<u32>(word, load<u32>(word) | (1 << (category & 31)));
}

/** One category against the rest; missing rows on both sides. */
function searchOneCategory(
  rules: usize,
  node: usize,
  sums: usize,
  lows: usize,
  bins: usize,
  monotone: i32,
  feature: u32,
  scratch: usize,
  result: usize,
): void {
  for (let bin: usize = 0; bin < bins; bin += 1) {
    for (let missingLeft: i32 = 1; missingLeft >= 0; missingLeft -= 1) {
      copyFour(scratch, node);
      addBin(scratch, sums, lows, bin, -1);
      if (missingLeft === 0) addBin(scratch, sums, lows, bins, -1);
      const gain = gainOf(rules, node, scratch, monotone);
      if (gain > load<f64>(result)) {
        take(result, gain, feature, -1, missingLeft, 1, scratch);
        clearCategories(result);
        addCategory(result, <u32>bin);
      }
    }
  }
}

/** Categories by ascending leaf weight, on ties by code: an exact number a category, [i]: f64, at `keys`. */
function sortCategories(rules: usize, sums: usize, lows: usize, bins: usize, keys: usize): void {
  for (let bin: usize = 0; bin < bins; bin += 1) {
    const at = sums + 16 * bin;
    let g = load<f64>(at);
    let h = load<f64>(at, 8);
    if (lows !== 0) {
      g = joined(g, load<f64>(lows + 16 * bin));
      h = joined(h, load<f64>(lows + 16 * bin, 8));
    }
    // Adding zero turns -0, which has bits of its own, into 0.
    const bits = reinterpret<i32>(<f32>(freeWeight(rules, g, h) + 0));
    const size = bits & 0x7fffffff;
    store<f64>(keys + 8 * bin, <f64>(bits < 0 ? -size : size) * 256 + <f64>bin);
  }
  for (let gap = bins >> 1; gap > 0; gap >>= 1) {
    for (let i = gap; i < bins; i += 1) {
      const key = load<f64>(keys + 8 * i);
      let at = i;
      while (at >= gap && load<f64>(keys + 8 * (at - gap)) > key) {
        store<f64>(keys + 8 * at, load<f64>(keys + 8 * (at - gap)));
        at -= gap;
      }
      store<f64>(keys + 8 * at, key);
    }
  }
}

function categoryAt(keys: usize, i: usize): u32 {
  const key = load<f64>(keys + 8 * i);
  return <u32>(key - 256 * floor<f64>(key / 256));
}

/** Categories in the order of their weights, cut in two: first with missing rows left, then right. */
function searchPartition(
  rules: usize,
  node: usize,
  sums: usize,
  lows: usize,
  bins: usize,
  monotone: i32,
  feature: u32,
  scratch: usize,
  result: usize,
): void {
  const keys = scratch + 64;
  sortCategories(rules, sums, lows, bins, keys);
  const steps = <i32>min<u32>(load<u32>(rules, 56), <u32>bins) - 1;
  let cut: i32 = -1;
  copyFour(scratch, node);
  for (let i: i32 = 0; i < steps; i += 1) {
    addBin(scratch, sums, lows, categoryAt(keys, i), -1);
    const gain = gainOf(rules, node, scratch, monotone);
    if (gain > load<f64>(result)) {
      take(result, gain, feature, -1, 1, 1, scratch);
      cut = i + 1;
    }
  }
  clearFour(scratch);
  for (let i = <i32>bins - 1; i > <i32>bins - 1 - steps; i -= 1) {
    addBin(scratch, sums, lows, categoryAt(keys, i), 1);
    const gain = gainOf(rules, node, scratch, monotone);
    if (gain > load<f64>(result)) {
      take(result, gain, feature, -1, 0, 1, scratch);
      cut = i;
    }
  }
  if (cut < 0) return;
  clearCategories(result);
  for (let i: i32 = 0; i < cut; i += 1) addCategory(result, categoryAt(keys, i));
}

/** Task: searches some features of a node. */
export function searchTask(p: usize, task: u32, thread: u32): void {
  const rules = <usize>load<u32>(p);
  const perNode = load<u32>(p, 24);
  const index = task / perNode;
  const node = <usize>load<u32>(p, 4) + <usize>index * load<u32>(p, 8);
  const first = load<u32>(p, 12);
  const all = load<u32>(p, 16);
  const begin = first + (task % perNode) * load<u32>(p, 20);
  const end = min<u32>(all, begin + load<u32>(p, 20));
  const features = <usize>load<u32>(p, 28);
  const allowed = <usize>load<u32>(p, 32) + <usize>index * (all - first);
  const result = <usize>load<u32>(p, 36) + <usize>RESULT_BYTES * <usize>task;
  const scratch = <usize>load<u32>(p, 40) + <usize>thread * load<u32>(p, 44);
  const nodeSums = <usize>load<u32>(node, 56);
  const nodeLows = <usize>load<u32>(node, 60);
  const base = load<u32>(features + 16 * <usize>first, 12);
  store<f64>(result, 0);
  for (let feature = begin; feature < end; feature += 1) {
    if (load<u8>(allowed + <usize>(feature - first)) === 0) continue;
    const at = features + 16 * <usize>feature;
    const bins = <usize>load<u32>(at);
    const monotone = load<i32>(at, 8);
    const offset: usize = 16 * <usize>(load<u32>(at, 12) - base);
    const sums = nodeSums + offset;
    const lows: usize = nodeLows === 0 ? 0 : nodeLows + offset;
    if (load<u32>(at, 4) === 0) {
      searchNumeric(rules, node, sums, lows, bins, monotone, feature, scratch, result);
    } else if (<u32>bins < load<u32>(rules, 52)) {
      searchOneCategory(rules, node, sums, lows, bins, monotone, feature, scratch, result);
    } else {
      searchPartition(rules, node, sums, lows, bins, monotone, feature, scratch, result);
    }
  }
}
