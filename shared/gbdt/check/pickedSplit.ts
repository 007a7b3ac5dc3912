// One node of a round, by chance, whose split is searched once more over all features: who searches a part of the features for all
// could keep its best split to itself.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { FeatureSampling } from '../featureSampling.ts';
import type { SplitCandidate } from '../../../kernels/gbdt/splitCandidate.ts';
import { findBestSplit } from '../split.ts';
import { isWorthwhile, type SplitScore } from '../splitScore.ts';
import type { TrainSpec } from '../trainSpec.ts';
import { pick, type CheckKey } from './checkKey.ts';
import type { PickedHistogram } from './shardReplay.ts';
import { sumsOfNode, type KnownNode } from './verifyTree.ts';

export interface PickedNode extends PickedHistogram {
  readonly node: number;
  readonly depth: number;
}

/** A better split than the tree has. */
export interface HiddenSplit {
  readonly tree: number;
  readonly node: number;
  readonly feature: number;
  readonly gain: number;
  /** Of the tree's own; 0 where it has none. */
  readonly hasGain: number;
}

/** @returns undefined where no node can have a split. */
export function pickNode(
  key: CheckKey,
  round: number,
  trees: readonly BinnedTree[],
  { params, device, trainLoop }: TrainSpec,
): PickedNode | undefined {
  if (trainLoop) return undefined;
  const candidates = trees.flatMap((tree, output) => {
    const depths = depthsOf(tree);
    return [...depths.keys()]
      .filter((node) => depths[node]! < params.max_depth)
      .map((node) => ({ output, node }));
  });
  const chosen = candidates[pick(key, round, 'node', candidates.length)];
  if (!chosen) return undefined;
  const { output, node } = chosen;
  const tree = trees[output]!;
  const isUnder = new Uint8Array(tree.left.length);
  isUnder[node] = 1;
  for (let at = node + 1; at < isUnder.length; at += 1) isUnder[at] = isUnder[tree.parent[at]!]!;
  const firstSlots: number[] = [];
  let slots = 0;
  for (const count of device.slotsPerFeature) {
    firstSlots.push(slots);
    slots += count;
  }
  const cells = Array.from({ length: device.isWide === true ? 2 : 1 }, () => new Float64Array(2 * slots));
  return { output, node, depth: depthsOf(tree)[node]!, isUnder, firstSlots, cells };
}

/** Once all rows are counted. @param nodes as verifyTree knows them. */
export function findHidden(
  { output, node, depth, cells }: PickedNode,
  round: number,
  tree: BinnedTree,
  { sums, nodes }: { readonly sums: readonly Float64Array[]; readonly nodes: ReadonlyMap<number, KnownNode> },
  spec: TrainSpec,
  score: SplitScore,
): HiddenSplit | undefined {
  const known = nodes.get(node);
  if (!known || !score.maySplit(known.h)) return undefined;
  const { features, params } = spec;
  const sampling = new FeatureSampling(params, round * spec.device.outputs + output, features.length);
  const { g, h, bounds, parentBounds } = known;
  const gain = score.gain(g, h, score.weight(g, h, parentBounds));
  const block = { first: 0, end: features.length, features, score, params };
  const open = { ...sumsOfNode(sums, node), bounds, gain };
  const best = findBestSplit(block, cells[0]!, open, sampling.forNode(depth, node), cells[1]);
  if (!best || !isWorthwhile(best.gain, params) || isSplitOf(tree, node, best)) return undefined;
  const hasGain = tree.left[node]! < 0 ? 0 : tree.gain[node]!;
  return { tree: output, node, feature: best.feature, gain: best.gain, hasGain };
}

function isSplitOf(
  tree: BinnedTree,
  node: number,
  { feature, splitBin, categories, missingGoesLeft }: SplitCandidate,
): boolean {
  return (
    tree.left[node]! >= 0 &&
    tree.feature[node] === feature &&
    (tree.missingGoesLeft[node] === 1) === missingGoesLeft &&
    (categories
      ? categories.every((word, i) => tree.categories[node * 8 + i] === word)
      : tree.splitBin[node] === splitBin)
  );
}

function depthsOf(tree: BinnedTree): Int32Array {
  const depths = new Int32Array(tree.left.length);
  for (let node = 1; node < depths.length; node += 1) depths[node] = depths[tree.parent[node]!]! + 1;
  return depths;
}
