// A tree as XGBoost's to_graphviz draws it, in the language of Graphviz.

import type { GbdtModel, ModelTree } from '../model/model.ts';
import { dumpedNodes, type DumpedNode } from './dumpedTree.ts';
import { dumpNumber } from './dumpNumber.ts';

/** Of the edge that missing values take, and of the other. */
const COLOURS = ['#0000FF', '#FF0000'] as const;

export function dumpDot(model: GbdtModel, tree: ModelTree, withStats: boolean): string {
  let text = 'digraph {\n    graph [ rankdir=TB ]\n';
  for (const node of dumpedNodes(model, tree)) text += `\n${drawn(node, withStats)}`;
  return `${text}}\n`;
}

function drawn(node: DumpedNode, withStats: boolean): string {
  const stats = withStats ? `\ncover=${dumpNumber(node.cover)}` : '';
  if (node.kind === 'leaf')
    return `    ${node.id} [ label=${quoted(`leaf=${dumpNumber(node.value)}${stats}`)} ]\n`;
  const { id, feature, condition, yes, no, missing, gain } = node;
  const asked =
    condition === undefined
      ? ''
      : typeof condition === 'number'
        ? `<${dumpNumber(condition)}`
        : `:{${condition.join(',')}}`;
  const gained = withStats ? `\ngain=${dumpNumber(gain)}` : '';
  const edge = (to: number, word: string): string =>
    to === missing
      ? `    ${id} -> ${to} [label="${word}, missing" color="${COLOURS[0]}"]\n`
      : `    ${id} -> ${to} [label="${word}" color="${COLOURS[1]}"]\n`;
  return `    ${id} [ label=${quoted(`${feature}${asked}${gained}${stats}`)} ]\n${edge(yes, 'yes')}${edge(no, 'no')}`;
}

/** Names of features may be of anything. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
