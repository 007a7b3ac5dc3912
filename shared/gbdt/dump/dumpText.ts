// A tree as XGBoost's get_dump writes it: a node a line, indented by its depth.

import type { GbdtModel, ModelTree } from '../model/model.ts';
import { dumpedNodes, indentation, type DumpedNode } from './dumpedTree.ts';
import { dumpNumber } from './dumpNumber.ts';

export function dumpText(model: GbdtModel, tree: ModelTree, withStats: boolean): string {
  let text = '';
  for (const node of dumpedNodes(model, tree))
    text += `${indentation('\t', node.depth)}${line(node, withStats)}\n`;
  return text;
}

function line(node: DumpedNode, withStats: boolean): string {
  const cover = withStats ? `,cover=${dumpNumber(node.cover)}` : '';
  if (node.kind === 'leaf') return `${node.id}:leaf=${dumpNumber(node.value)}${cover}`;
  const { id, feature, condition, yes, no, missing, gain } = node;
  const gained = withStats ? `,gain=${dumpNumber(gain)}` : '';
  if (condition === undefined) return `${id}:[${feature}] yes=${yes},no=${no}${gained}${cover}`;
  const asked = typeof condition === 'number' ? `<${dumpNumber(condition)}` : `:{${condition.join(',')}}`;
  return `${id}:[${feature}${asked}] yes=${yes},no=${no},missing=${missing}${gained}${cover}`;
}
