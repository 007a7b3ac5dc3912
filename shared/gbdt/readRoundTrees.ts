// The trees of a round as a peer or a record has them, checked against what the run can grow.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import { TreeFormatError } from './errors/gbdtErrors.ts';
import { decodeTree } from './treeCodec.ts';
import type { FeatureSpec, TrainSpec } from './trainSpec.ts';

/** What bounds the trees of a run. */
export interface TreeBounds {
  readonly features?: readonly FeatureSpec[] | undefined;
  /** Trees of a round. */
  readonly outputs?: number | undefined;
  readonly maxDepth?: number | undefined;
}

/** What is known of a run's trees from its spec. The owner's own loop may grow other depths. */
export function treeBounds({ features, device, params, trainLoop }: Partial<TrainSpec>): TreeBounds {
  return { features, outputs: device?.outputs, maxDepth: trainLoop ? undefined : params?.max_depth };
}

/** @throws TreeFormatError naming the tree and the node. */
export function readRoundTrees(values: readonly unknown[], bounds: TreeBounds): BinnedTree[] {
  const { outputs = values.length } = bounds;
  if (values.length !== outputs) {
    throw new TreeFormatError(`a round has ${values.length} trees; expected ${outputs}`);
  }
  return values.map((value, index) => {
    try {
      const tree = decodeTree(value, bounds.features?.length);
      checkBounds(tree, bounds);
      return tree;
    } catch (error) {
      if (!(error instanceof TreeFormatError)) throw error;
      throw new TreeFormatError(`tree ${index}: ${error.message}`, error.place, { cause: error });
    }
  });
}

function checkBounds(tree: BinnedTree, { features, maxDepth = Infinity }: TreeBounds): void {
  const depths = new Int32Array(tree.left.length);
  tree.left.forEach((left, node) => {
    if (node > 0) depths[node] = depths[tree.parent[node]!]! + 1;
    if (depths[node]! > maxDepth) {
      throw new TreeFormatError(`node ${node} is at depth ${depths[node]}; expected at most ${maxDepth}`);
    }
    const feature = left === -1 ? undefined : features?.[tree.feature[node]!];
    if (feature) checkSplit(tree, node, feature);
  });
}

function checkSplit(tree: BinnedTree, node: number, { name, bins, categorical }: FeatureSpec): void {
  if ((tree.isCategorical[node] === 1) !== categorical) {
    const [is, should] = categorical ? ['numbers', 'categories'] : ['categories', 'numbers'];
    throw new TreeFormatError(`node ${node} splits feature "${name}" by ${is}; expected ${should}`);
  }
  if (!categorical && tree.splitBin[node]! >= bins) {
    throw new TreeFormatError(
      `node ${node} splits feature "${name}" after bin ${tree.splitBin[node]}; it has ${bins} bins`,
    );
  }
}
