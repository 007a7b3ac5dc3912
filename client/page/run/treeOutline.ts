// A tree as an outline: which nodes are in sight, and where the keyboard leads.

import type { ToldNode } from '../../../shared/api/runModel.ts';

/** Levels that are open at first; deeper ones are opened by hand. */
const OPEN_LEVELS = 3;

export interface OutlineRow {
  /** Position in the tree's list of nodes. */
  readonly node: number;
  /** 1 for the root. */
  readonly level: number;
  /** Which of its parent's branches it is; undefined for the root. */
  readonly branch: 'left' | 'right' | undefined;
  readonly isLeaf: boolean;
  readonly isOpen: boolean;
}

/** The inner nodes of the first levels. */
export function openAtFirst(nodes: readonly ToldNode[]): ReadonlySet<number> {
  const open = new Set<number>();
  const visit = (node: number, level: number): void => {
    const { left, right } = nodes[node] ?? {};
    if (left === undefined || right === undefined || level > OPEN_LEVELS) return;
    open.add(node);
    visit(left, level + 1);
    visit(right, level + 1);
  };
  visit(0, 1);
  return open;
}

/** From top to bottom: a node, then its left branch, then its right one, as far as they are open. */
export function outlineOf(nodes: readonly ToldNode[], open: ReadonlySet<number>): OutlineRow[] {
  const rows: OutlineRow[] = [];
  /** The next one last. */
  const waiting: Pick<OutlineRow, 'branch' | 'level' | 'node'>[] =
    nodes.length === 0 ? [] : [{ node: 0, level: 1, branch: undefined }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { left, right } = nodes[next.node] ?? {};
    const isLeaf = left === undefined || right === undefined;
    const isOpen = !isLeaf && open.has(next.node);
    rows.push({ ...next, isLeaf, isOpen });
    if (isLeaf || !isOpen) continue;
    waiting.push({ node: right, level: next.level + 1, branch: 'right' });
    waiting.push({ node: left, level: next.level + 1, branch: 'left' });
  }
  return rows;
}

export interface OutlineMove {
  /** The node that has the focus then. */
  readonly focused: number;
  /** A node to open or to close. */
  readonly toggled?: number;
}

/** What a key does, as the ARIA tree pattern has it; undefined for keys that do nothing. */
export function outlineMove(
  rows: readonly OutlineRow[],
  focused: number,
  key: string,
): OutlineMove | undefined {
  const at = Math.max(
    0,
    rows.findIndex(({ node }) => node === focused),
  );
  const row = rows[at];
  if (!row) return undefined;
  const to = (index: number): OutlineMove => ({
    focused: rows[Math.min(rows.length - 1, Math.max(0, index))]!.node,
  });
  switch (key) {
    case 'ArrowDown':
      return to(at + 1);
    case 'ArrowUp':
      return to(at - 1);
    case 'Home':
      return to(0);
    case 'End':
      return to(rows.length - 1);
    case 'ArrowRight':
      if (row.isLeaf) return undefined;
      return row.isOpen ? to(at + 1) : { focused: row.node, toggled: row.node };
    case 'ArrowLeft':
      if (row.isOpen) return { focused: row.node, toggled: row.node };
      return to(rows.findLastIndex(({ level }, i) => i < at && level < row.level));
    case 'Enter':
    case ' ':
      return row.isLeaf ? undefined : { focused: row.node, toggled: row.node };
    default:
      return undefined;
  }
}
