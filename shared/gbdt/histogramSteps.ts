// Of which nodes histograms are built and sent, and how many at a time: all members do the same, and who checks them knows it
// from the tree.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import { joinLimbs } from './split.ts';
import type { SplitScore } from './splitScore.ts';
import type { TrainSpec } from './trainSpec.ts';

/** Numbers of the largest array that a device is asked for at a time (32 MB). */
const BATCH_NUMBERS = 4 * 1024 * 1024;
/** Histograms of a level are kept for subtraction only while all features' together stay below this. */
const MAX_KEPT_NUMBERS = 32 * 1024 * 1024;

/** @param slots of a node's histogram over all features. */
export function nodesAtATime(slots: number): number {
  return Math.max(1, Math.floor(BATCH_NUMBERS / (2 * slots)));
}

/** Whether one child of each pair is built, and the other is what is left of the parent. */
export function isSubtracted(pairs: number, slots: number, isWide: boolean): boolean {
  return pairs * 2 * slots * 2 * (isWide ? 2 : 1) <= MAX_KEPT_NUMBERS;
}

/** Histograms that are summed at a time. */
export interface HistogramStep {
  /** The tree of the round. */
  readonly output: number;
  readonly limb: 'high' | 'low';
  readonly nodes: readonly number[];
}

/**
 * The steps in which a tree was grown, in order.
 * @param sums [limb][node][g, h] over all rows, exact.
 */
export function stepsOfTree(
  output: number,
  tree: BinnedTree,
  sums: readonly Float64Array[],
  spec: Pick<TrainSpec, 'device' | 'params'>,
  score: SplitScore,
): HistogramStep[] {
  const isWide = spec.device.isWide === true;
  const slots = spec.device.slotsPerFeature.reduce((sum, count) => sum + count, 0);
  const hessian = (node: number): number =>
    isWide ? joinLimbs(sums[0]![2 * node + 1]!, sums[1]![2 * node + 1]!) : sums[0]![2 * node + 1]!;
  const isOpen = (node: number): boolean => score.maySplit(hessian(node));
  const steps = inBatches(output, [0], slots, isWide);
  let frontier = [0];
  for (let depth = 1; depth < spec.params.max_depth; depth += 1) {
    const pairs = frontier
      .filter((node) => tree.left[node]! >= 0)
      .map((node): readonly [number, number] => [tree.left[node]!, tree.right[node]!])
      .filter((children) => children.some(isOpen));
    frontier = pairs.flat().filter(isOpen);
    const smaller = ([left, right]: readonly [number, number]): number =>
      hessian(left) <= hessian(right) ? left : right;
    const built = isSubtracted(pairs.length, slots, isWide) ? pairs.map(smaller) : frontier;
    if (built.length === 0) break;
    steps.push(...inBatches(output, built, slots, isWide));
  }
  return steps;
}

function inBatches(
  output: number,
  nodes: readonly number[],
  slots: number,
  isWide: boolean,
): HistogramStep[] {
  const most = nodesAtATime(slots);
  const limbs = isWide ? (['high', 'low'] as const) : (['high'] as const);
  return limbs.flatMap((limb) =>
    Array.from({ length: Math.ceil(nodes.length / most) }, (_, i) => ({
      output,
      limb,
      nodes: nodes.slice(i * most, (i + 1) * most),
    })),
  );
}
