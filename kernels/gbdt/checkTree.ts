// Splits and trees come from other workers. A child before its parent would make a walk endless, which on a GPU takes
// the whole device down, so both are checked before they are used.

import type { BinnedTree } from './binnedTree.ts';
import { InvalidTreeError } from './deviceErrors.ts';
import type { DeviceSpec, NodeSplit } from './treeDevice.ts';

function checkFeature(spec: DeviceSpec, node: number, feature: number): void {
  if (spec.slotsPerFeature[feature] === undefined) {
    throw new InvalidTreeError(
      `Node ${node} splits feature ${feature}, expected 0 to ${spec.slotsPerFeature.length - 1}.`,
    );
  }
}

/** @throws InvalidTreeError when a split names no feature of the spec or a child that doesn't follow its node. */
export function checkNodeSplits(spec: DeviceSpec, splits: readonly NodeSplit[]): void {
  for (const { node, left, right, feature } of splits) {
    checkFeature(spec, node, feature);
    if (!(node >= 0 && left > node && right > node)) {
      throw new InvalidTreeError(`Node ${node} has children ${left} and ${right}, expected them after it.`);
    }
  }
}

/** @throws InvalidTreeError when a walk through the tree could leave it, never end, or read no feature. */
export function checkTree(spec: DeviceSpec, tree: BinnedTree): void {
  const nodes = tree.left.length;
  if (nodes === 0) throw new InvalidTreeError('A tree has no nodes, expected at least a root.');
  for (let node = 0; node < nodes; node += 1) {
    const left = tree.left[node] ?? -1;
    const right = tree.right[node] ?? -1;
    if (left === -1) continue;
    checkFeature(spec, node, tree.feature[node] ?? -1);
    if (!(left > node && right > node && left < nodes && right < nodes)) {
      throw new InvalidTreeError(
        `Node ${node} of ${nodes} has children ${left} and ${right}, expected them after it and within the tree.`,
      );
    }
  }
}
