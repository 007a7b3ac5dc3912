// Whether the values of a tree follow from the sums of its nodes' rows, number by number, as growing computes them.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { gainOfSplit, joinedSums, type NodeSums } from '../split.ts';
import type { SplitCandidate } from '../../../kernels/gbdt/splitCandidate.ts';
import { UNBOUNDED, childBounds, type SplitScore, type WeightBounds } from '../splitScore.ts';
import type { TrainSpec } from '../trainSpec.ts';

/** What a tree says that does not follow from the rows. */
export interface FalseValue {
  readonly node: number;
  /** The feature whose split told the wrong sums; undefined for the root, of which all owners tell. */
  readonly feature: number | undefined;
  readonly what: 'value' | 'cover' | 'gain';
  readonly claimed: number;
  readonly found: number;
}

export interface KnownNode {
  /** Gradient and Hessian sums in units of the high limb. */
  readonly g: number;
  readonly h: number;
  readonly bounds: WeightBounds;
  readonly parentBounds: WeightBounds;
}

/** @param sums [limb][node][g, h], exact. @returns the first false value from the root downwards, and the nodes before it. */
export function verifyTree(
  tree: BinnedTree,
  sums: readonly Float64Array[],
  spec: Pick<TrainSpec, 'features' | 'params'>,
  score: SplitScore,
): { readonly falseValue: FalseValue | undefined; readonly nodes: ReadonlyMap<number, KnownNode> } {
  const known = new Map<number, KnownNode>();
  const sumsOf = (node: number): NodeSums => sumsOfNode(sums, node);
  known.set(0, { ...joinedSums(sumsOf(0)), bounds: UNBOUNDED, parentBounds: UNBOUNDED });
  for (let node = 0; node < tree.left.length; node += 1) {
    const { g, h, bounds, parentBounds } = known.get(node)!;
    const parent = tree.parent[node]!;
    const feature = node === 0 ? undefined : tree.feature[parent]!;
    const differs = (what: FalseValue['what'], claimed: number, found: number): FalseValue | undefined =>
      Object.is(claimed, found) ? undefined : { node, feature, what, claimed, found };
    const value = Math.fround(score.weight(g, h, parentBounds) * spec.params.eta) + 0;
    const ownWrong =
      differs('value', tree.value[node]!, value) ?? differs('cover', tree.cover[node]!, score.cover(h));
    if (ownWrong) return { falseValue: ownWrong, nodes: known };
    const left = tree.left[node]!;
    if (left < 0) continue;
    const right = tree.right[node]!;
    const [ofLeft, ofRight] = [joinedSums(sumsOf(left)), joinedSums(sumsOf(right))];
    const { monotone } = spec.features[tree.feature[node]!]!;
    const open = { bounds, gain: score.gain(g, h, score.weight(g, h, parentBounds)) };
    const gain = gainOfSplit(score, open, candidateOf(sumsOf(left), sumsOf(right)), monotone);
    if (gain !== tree.gain[node]) {
      const feature = tree.feature[node]!;
      const falseValue = { node, feature, what: 'gain', claimed: tree.gain[node]!, found: gain } as const;
      return { falseValue, nodes: known };
    }
    const weights = [score.weight(ofLeft.g, ofLeft.h, bounds), score.weight(ofRight.g, ofRight.h, bounds)];
    const below = childBounds(bounds, weights[0]!, weights[1]!, monotone);
    known.set(left, { ...ofLeft, bounds: below.left, parentBounds: bounds });
    known.set(right, { ...ofRight, bounds: below.right, parentBounds: bounds });
  }
  return { falseValue: undefined, nodes: known };
}

/** @param sums [limb][node][g, h]. */
export function sumsOfNode([high, low]: readonly Float64Array[], node: number): NodeSums {
  const both = { g: high![2 * node]!, h: high![2 * node + 1]! };
  return low ? { ...both, low: { g: low[2 * node]!, h: low[2 * node + 1]! } } : both;
}

function candidateOf(left: NodeSums, right: NodeSums): SplitCandidate {
  return {
    gain: 0,
    feature: 0,
    splitBin: 0,
    categories: undefined,
    missingGoesLeft: false,
    leftG: left.g,
    leftH: left.h,
    rightG: right.g,
    rightH: right.h,
    ...(left.low &&
      right.low && {
        low: { leftG: left.low.g, leftH: left.low.h, rightG: right.low.g, rightH: right.low.h },
      }),
  };
}
