import { describe, expect, it } from 'vitest';
import { checkRoundSize, encodeKnownRounds, encodeRound } from '../../../client/gbdt/roundMessages.ts';
import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { decodeTree, encodeTree } from '../../../shared/gbdt/treeCodec.ts';

/** A tree whose right children split again and again, with values that take many digits. */
function tree(leaves: number, value: number): BinnedTree {
  const nodes = 2 * leaves - 1;
  const isInner = (node: number): boolean => (node === 0 ? leaves > 1 : node % 2 === 0 && node < nodes - 1);
  const column = (inner: number, leaf: number): number[] =>
    Array.from({ length: nodes }, (_, node) => (isInner(node) ? inner : leaf));
  return decodeTree({
    left: Array.from({ length: nodes }, (_, node) => (isInner(node) ? node + 1 : -1)),
    feature: column(0, 0),
    bin: column(3, -1),
    flags: column(0, 0),
    value: column(0, Math.fround(value)),
    fixed: column(0, -2_000_000_000),
    gain: column(Math.fround(1e-7 / 3), 0),
    cover: column(Math.fround(1e9 / 3), Math.fround(1 / 3)),
    categories: [],
  });
}

const rounds = (count: number, leaves: number) =>
  Array.from({ length: count }, (_, round) => ({
    trees: [tree(leaves, (round + 1) / 3)],
    metrics: { 'valid-auc': round },
  }));

describe('rounds in messages to the coordinator', () => {
  it('are refused, with what to do about it, where one round is more than a message takes', () => {
    const trees = [tree(40, 1 / 3), tree(40, 2 / 3)];
    const characters = JSON.stringify(trees.map((one) => encodeTree(one))).length;
    expect(encodeRound(trees, 9, characters)).toEqual(trees.map((one) => encodeTree(one)));
    expect(() => encodeRound(trees, 9, characters - 1)).toThrow(
      expect.objectContaining({
        code: 'TREES_TOO_LARGE',
        message: `the trees of round 9 take ${characters} bytes as JSON, a control message takes ${characters - 1}; lower max_depth, or raise gamma or min_child_weight`,
      }),
    );
  });

  it('come oldest first, with their numbers and metrics, at most 64 at a time', () => {
    const answer = encodeKnownRounds(rounds(100, 2), 30);
    expect(answer.map(({ round }) => round)).toEqual(Array.from({ length: 64 }, (_, i) => 30 + i));
    expect(answer[0]!.metrics).toEqual({ 'valid-auc': 30 });
    expect(decodeTree(answer[5]!.payload[0]).value.at(-1)).toBe(Math.fround(36 / 3));
    expect(encodeKnownRounds(rounds(3, 2), 3)).toEqual([]);
  });

  it('end before a round whose metrics are not known here: that was taken from the record', () => {
    const known = rounds(4, 2).map((one, round) => (round === 2 ? { ...one, metrics: undefined } : one));
    expect(encodeKnownRounds(known, 0).map(({ round }) => round)).toEqual([0, 1]);
  });

  it('are as large at members that do not send them, so that all find out', () => {
    const trees = [tree(40, 1 / 3)];
    const characters = JSON.stringify(trees.map((one) => encodeTree(one))).length;
    expect(() => checkRoundSize(trees, 9, characters - 1)).toThrow(
      expect.objectContaining({ code: 'TREES_TOO_LARGE' }),
    );
    expect(() => checkRoundSize(trees, 9, characters)).not.toThrow();
  });

  it('are as many as fit in one answer', () => {
    const known = rounds(10, 40);
    const most = 3.5 * JSON.stringify(known[0]!.trees.map((one) => encodeTree(one))).length;
    const answer = encodeKnownRounds(known, 2, most);
    expect(answer.map(({ round }) => round)).toEqual([2, 3, 4]);
    expect(JSON.stringify(answer.map(({ payload }) => payload)).length).toBeLessThanOrEqual(most);
  });
});
