// The nodes of a tree that can be reached from its root. XGBoost leaves pruned nodes in the file, and may put children
// before their parents.

import { malformed } from './modelFields.ts';

/**
 * Breadth first, the root first, a left child before its right sibling.
 * @param left indices of nodes, -1 for leaves.
 * @throws ModelFormatError for a node with one child, or with two parents: such a walk would not end.
 */
export function reachableNodes(left: Int32Array, right: Int32Array, field: string): Int32Array<ArrayBuffer> {
  const order = new Int32Array(left.length);
  const isReached = new Uint8Array(left.length);
  isReached[0] = 1;
  let end = 1;
  for (let i = 0; i < end; i += 1) {
    const node = order[i]!;
    const isLeaf = left[node] === -1;
    if (isLeaf !== (right[node] === -1))
      throw malformed(`${field}[${node}]`, 'the node has one child, expected two');
    if (isLeaf) continue;
    for (const child of [left[node]!, right[node]!]) {
      if (isReached[child] === 1) throw malformed(`${field}[${node}]`, `child ${child} has two parents`);
      isReached[child] = 1;
      order[end++] = child;
    }
  }
  return order.slice(0, end);
}
