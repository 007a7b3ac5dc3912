// A tree as XGBoost's get_dump(dump_format='json') tells of it: nodes with their children in them.

import type { GbdtModel, ModelTree } from '../model/model.ts';
import { dumpSteps, indentation, type DumpedNode } from './dumpedTree.ts';
import { dumpNumber } from './dumpNumber.ts';

/** Text of JSON; it is written by hand, since trees may be nested deeper than JSON.stringify can go. */
export function dumpJson(model: GbdtModel, tree: ModelTree, withStats: boolean): string {
  const lines: string[] = [];
  for (const step of dumpSteps(model, tree)) {
    if (step.at === 'end') {
      lines.push(`${indentation('  ', step.depth + 1)}]}`);
      continue;
    }
    // The first child follows its parent's line; the second one follows the first one's end.
    const { node } = step;
    const isSecond = node.depth > 0 && !(lines.at(-1) ?? '').endsWith('"children": [');
    if (isSecond) lines.push(`${lines.pop() ?? ''},`);
    lines.push(`${indentation('  ', node.depth + 1)}${member(node, withStats)}`);
  }
  return lines.join('\n');
}

function member(node: DumpedNode, withStats: boolean): string {
  const cover = withStats ? `, "cover": ${jsonNumber(node.cover)}` : '';
  if (node.kind === 'leaf') return `{ "nodeid": ${node.id}, "leaf": ${jsonNumber(node.value)}${cover} }`;
  const { id, depth, feature, condition, yes, no, missing, gain } = node;
  const asked =
    condition === undefined
      ? ''
      : `, "split_condition": ${typeof condition === 'number' ? jsonNumber(condition) : `[${condition.join(', ')}]`}`;
  const unless = condition === undefined ? '' : `, "missing": ${missing}`;
  const gained = withStats ? `, "gain": ${jsonNumber(gain)}` : '';
  return (
    `{ "nodeid": ${id}, "depth": ${depth}, "split": ${JSON.stringify(feature)}${asked}, "yes": ${yes}, "no": ${no}` +
    `${unless}${gained}${cover}, "children": [`
  );
}

/** JSON has no infinity and no NaN. */
function jsonNumber(value: number): string {
  return Number.isFinite(value) ? dumpNumber(value) : 'null';
}
