// All nodes of a model as the rows of a table, as XGBoost's Booster.trees_to_dataframe has them.

import type { GbdtModel } from '../model/model.ts';
import { dumpedNodes } from './dumpedTree.ts';

/** A node of a tree. */
export interface TreeTableRow {
  readonly Tree: number;
  readonly Node: number;
  /** Tree and node: "0-3". */
  readonly ID: string;
  /** "Leaf" for leaves. */
  readonly Feature: string;
  /** Null for leaves and categories. */
  readonly Split: number | null;
  /** IDs of nodes; null for leaves. */
  readonly Yes: string | null;
  readonly No: string | null;
  readonly Missing: string | null;
  /** Of leaves their value. */
  readonly Gain: number;
  readonly Cover: number;
  /** The categories that answer yes; null elsewhere. */
  readonly Category: readonly number[] | null;
}

/** Nodes of a tree in the order of their numbers. */
export function treesToTable(model: GbdtModel): TreeTableRow[] {
  return model.trees.flatMap((tree, t) => {
    const idOf = (node: number): string => `${t}-${node}`;
    const nodes = [...dumpedNodes(model, tree)].sort((a, b) => a.id - b.id);
    return nodes.map((node) => {
      const row = { Tree: t, Node: node.id, ID: idOf(node.id), Cover: node.cover };
      if (node.kind === 'leaf') {
        const none = { Split: null, Yes: null, No: null, Missing: null, Category: null };
        return { ...row, ...none, Feature: 'Leaf', Gain: node.value };
      }
      const { feature, condition, yes, no, missing, gain } = node;
      return {
        ...row,
        Feature: feature,
        Split: typeof condition === 'number' ? condition : null,
        Yes: idOf(yes),
        No: idOf(no),
        Missing: idOf(missing),
        Gain: gain,
        Category: Array.isArray(condition) ? condition : null,
      };
    });
  });
}
