// A tree as dumps tell of it: node by node in XGBoost's words, each before its children, the left one first. XGBoost:
// src/tree/tree_model.cc.

import { featureName, type GbdtModel, type ModelTree } from '../model/model.ts';

interface DumpedLeaf {
  readonly kind: 'leaf';
  readonly value: number;
}

interface DumpedSplit {
  readonly kind: 'split';
  readonly feature: string;
  /** Values below it answer yes; of categories, those that do. Undefined for a feature that is there or not. */
  readonly condition: number | readonly number[] | undefined;
  /** Numbers of nodes. */
  readonly yes: number;
  readonly no: number;
  readonly missing: number;
  readonly gain: number;
}

export type DumpedNode = (DumpedLeaf | DumpedSplit) & {
  /** Its number in the model's file. */
  readonly id: number;
  readonly depth: number;
  readonly cover: number;
};

/** Where a walk is: before a node, or behind the children of one. */
type Step =
  | { readonly at: 'node'; readonly node: DumpedNode }
  | { readonly at: 'end'; readonly depth: number };

/** Levels that are indented: in trees of thousands of levels the text would be of spaces. */
const MOST_INDENTED = 256;

export function indentation(unit: string, depth: number): string {
  return unit.repeat(Math.min(depth, MOST_INDENTED));
}

/** In the order in which nested text has them. Trees may be deeper than the stack. */
export function* dumpSteps(model: GbdtModel, tree: ModelTree): Generator<Step> {
  const open: ({ readonly index: number; readonly depth: number } | { readonly endOf: number })[] = [
    { index: 0, depth: 0 },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    if ('endOf' in next) {
      yield { at: 'end', depth: next.endOf };
      continue;
    }
    const { index, depth } = next;
    yield { at: 'node', node: dumpedNode(model, tree, index, depth) };
    if (tree.left[index] === -1) continue;
    const children = [tree.right[index]!, tree.left[index]!];
    open.push({ endOf: depth }, ...children.map((child) => ({ index: child, depth: depth + 1 })));
  }
}

/** The nodes alone. */
export function* dumpedNodes(model: GbdtModel, tree: ModelTree): Generator<DumpedNode> {
  for (const step of dumpSteps(model, tree)) if (step.at === 'node') yield step.node;
}

function dumpedNode(model: GbdtModel, tree: ModelTree, index: number, depth: number): DumpedNode {
  const idOf = (node: number): number => tree.ids?.[node] ?? node;
  const cover = tree.cover[index]!;
  const common = { id: idOf(index), depth, cover };
  const threshold = tree.threshold[index]!;
  if (tree.left[index] === -1) return { ...common, kind: 'leaf', value: threshold };
  const left = idOf(tree.left[index]!);
  const right = idOf(tree.right[index]!);
  const missing = tree.defaultLeft[index] === 1 ? left : right;
  const feature = tree.feature[index]!;
  const split = {
    ...common,
    kind: 'split',
    feature: featureName(model, feature),
    missing,
    gain: tree.gain[index]!,
  } as const;
  const words = tree.categories.get(index);
  // Categories of the set go right.
  if (words) return { ...split, condition: members(words), yes: right, no: left };
  const type = model.featureTypes[feature];
  // There or not: who has it does not go where missing values go.
  if (type === 'i')
    return { ...split, condition: undefined, yes: missing === left ? right : left, no: missing };
  return { ...split, condition: type === 'int' ? Math.ceil(threshold) : threshold, yes: left, no: right };
}

/** The categories whose bits are set, ascending. */
function members(words: Uint32Array): number[] {
  return Array.from({ length: words.length * 32 }, (_, category) => category).filter(
    (category) => ((words[category >> 5]! >>> (category & 31)) & 1) === 1,
  );
}
