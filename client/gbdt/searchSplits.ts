// The best splits of a level over this member's features: by the device where it searches, else in plain JavaScript. Both find
// the same.

import type { SearchedNode, SplitCandidate, SplitSearch } from '../../kernels/gbdt/splitCandidate.ts';
import type { OpenNode } from '../../shared/gbdt/split.ts';
import { findBestSplit } from '../../shared/gbdt/split.ts';
import { splitRules } from '../../shared/gbdt/splitRules.ts';
import type { SplitScore } from '../../shared/gbdt/splitScore.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';

export interface UnsplitNode extends OpenNode {
  readonly histogram: { readonly sums: Float64Array; readonly low: Float64Array | undefined };
}

export interface SearchedBlock {
  readonly spec: TrainSpec;
  readonly score: SplitScore;
  /** Features [first, end). */
  readonly first: number;
  readonly end: number;
}

/** @param allowedOf whether a feature of a node may be split (column sampling). */
export function searchSplits<Node extends UnsplitNode>(
  search: SplitSearch | undefined,
  { spec, score, first, end }: SearchedBlock,
  nodes: readonly Node[],
  allowedOf: (node: Node) => (feature: number) => boolean,
): (SplitCandidate | undefined)[] {
  if (search) {
    const searched = nodes.map((node): SearchedNode => ({
      ...node,
      sums: node.histogram.sums,
      lowSums: node.histogram.low,
      allowed: flagsOf(allowedOf(node), first, end),
    }));
    return search.find(splitRules(spec), first, end, searched);
  }
  const block = { first, end, features: spec.features, score, params: spec.params };
  return nodes.map((node) =>
    findBestSplit(block, node.histogram.sums, node, allowedOf(node), node.histogram.low),
  );
}

function flagsOf(isAllowed: (feature: number) => boolean, first: number, end: number): Uint8Array {
  const flags = new Uint8Array(end - first);
  for (let feature = first; feature < end; feature += 1) flags[feature - first] = isAllowed(feature) ? 1 : 0;
  return flags;
}
