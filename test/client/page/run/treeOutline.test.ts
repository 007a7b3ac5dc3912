import { describe, expect, it } from 'vitest';
import { openAtFirst, outlineMove, outlineOf } from '../../../../client/page/run/treeOutline.ts';
import type { ToldNode } from '../../../../shared/api/runModel.ts';

/** 0 has 1 and 2; 1 has 3 and 4. */
const nodes: ToldNode[] = [
  { left: 1, right: 2, feature: 'a', threshold: 1, cover: 9 },
  { left: 3, right: 4, feature: 'b', threshold: 2, cover: 5 },
  { value: 0.5, cover: 4 },
  { value: 0.1, cover: 3 },
  { value: 0.2, cover: 2 },
];
const all = openAtFirst(nodes);
const rows = outlineOf(nodes, all);

/** Each inner node has a leaf to the left. */
function chain(depth: number): ToldNode[] {
  return Array.from({ length: 2 * depth + 1 }, (_, node) =>
    node % 2 === 0 && node < 2 * depth
      ? { left: node + 1, right: node + 2, feature: 'x', threshold: 0, cover: 1 }
      : { value: 1, cover: 1 },
  );
}

describe('The outline of a tree', () => {
  it('has a node, then its left branch, then its right one', () => {
    expect(rows.map(({ node, level, branch, isLeaf }) => [node, level, branch, isLeaf])).toEqual([
      [0, 1, undefined, false],
      [1, 2, 'left', false],
      [3, 3, 'left', true],
      [4, 3, 'right', true],
      [2, 2, 'right', true],
    ]);
  });

  it('has nothing below what is closed, and deep trees begin closed', () => {
    expect(outlineOf(nodes, new Set([0])).map(({ node }) => node)).toEqual([0, 1, 2]);
    const deep = chain(5_000);
    expect(outlineOf(deep, openAtFirst(deep)).length).toBe(7);
    const open = new Set(deep.keys());
    expect(outlineOf(deep, open).at(-1)?.level).toBe(5_001);
  });

  it('is empty without nodes, and a leaf is a tree', () => {
    expect(outlineOf([], new Set())).toEqual([]);
    expect(outlineOf([{ value: 1, cover: 1 }], openAtFirst([{ value: 1, cover: 1 }]))).toMatchObject([
      { node: 0, isLeaf: true },
    ]);
  });
});

it.each([
  ['ArrowDown', 0, { focused: 1 }],
  ['ArrowDown', 2, { focused: 2 }],
  ['ArrowUp', 2, { focused: 4 }],
  ['Home', 4, { focused: 0 }],
  ['End', 0, { focused: 2 }],
  ['ArrowRight', 1, { focused: 3 }],
  ['ArrowRight', 3, undefined],
  ['ArrowLeft', 1, { focused: 1, toggled: 1 }],
  ['ArrowLeft', 4, { focused: 1 }],
  ['ArrowLeft', 2, { focused: 0 }],
  ['Enter', 1, { focused: 1, toggled: 1 }],
  ['Enter', 2, undefined],
  ['a', 0, undefined],
] as const)('%s at node %i of an open tree leads to %j', (key, focused, move) => {
  expect(outlineMove(rows, focused, key)).toEqual(move);
});

it('a closed node opens with the right arrow, and stays in focus', () => {
  expect(outlineMove(outlineOf(nodes, new Set([0])), 1, 'ArrowRight')).toEqual({ focused: 1, toggled: 1 });
});
