// Plans read no more columns than somebody needs: the wanted columns travel down to the sources.

import type { PlanNode } from './planNode.ts';

/** @param wanted columns that the consumer uses; undefined for all. */
export function pushColumns(node: PlanNode, wanted?: readonly string[]): PlanNode {
  if (node.kind === 'source') return wanted === undefined ? node : { ...node, columns: wanted };
  const operator = wanted === undefined ? node.operator : (node.operator.narrow?.(wanted) ?? node.operator);
  const needed = operator.needs(wanted);
  return { kind: 'operator', operator, inputs: node.inputs.map((input) => pushColumns(input, needed)) };
}
