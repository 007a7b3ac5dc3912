// Committed rounds as they are told to the coordinator, within the size that a control message may have.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { EncodedTree } from '../../shared/gbdt/treeCodec.ts';
import { encodeTree } from '../../shared/gbdt/treeCodec.ts';
import type { WorkerMessageOf } from '../../shared/protocol/control.ts';
import { MAX_CONTROL_MESSAGE_BYTES } from '../../shared/protocol/control.ts';
import { TreesTooLargeError } from '../memberRun/errors.ts';
import type { KnownRound } from './runData.ts';

/** Characters of trees in one message; what else is in it, digests of members among it, takes less than the rest. */
const MAX_TREE_CHARACTERS = MAX_CONTROL_MESSAGE_BYTES - 1024 * 1024;
/** No node takes more as JSON, its eight category words included. */
const NODE_CHARACTERS = 256;
/** Rounds in one halted answer, at most; who has more is asked again. */
const ROUNDS_PER_ANSWER = 64;

/** @throws TreesTooLargeError: a longer message would cost the worker its socket, again after each reconnection. */
export function encodeRound(
  trees: readonly BinnedTree[],
  round: number,
  maxCharacters = MAX_TREE_CHARACTERS,
): EncodedTree[] {
  checkRoundSize(trees, round, maxCharacters);
  return trees.map((tree) => encodeTree(tree));
}

/** For all members, also those that do not send their trees: so all find out at once. @throws TreesTooLargeError */
export function checkRoundSize(
  trees: readonly BinnedTree[],
  round: number,
  maxCharacters = MAX_TREE_CHARACTERS,
): void {
  const characters = charactersOf(trees, maxCharacters);
  if (characters <= maxCharacters) return;
  throw new TreesTooLargeError(
    `the trees of round ${round} take ${characters} bytes as JSON, a control message takes ${maxCharacters}; ` +
      'lower max_depth, or raise gamma or min_child_weight',
  );
}

/**
 * The rounds from `firstRound` on, oldest first, as many as fit in one answer. Those that were taken from the record are
 * known without their metrics; the record has them.
 */
export function encodeKnownRounds(
  committed: readonly KnownRound[],
  firstRound: number,
  maxCharacters = MAX_TREE_CHARACTERS,
): WorkerMessageOf<'halted'>['rounds'] {
  const rounds: WorkerMessageOf<'halted'>['rounds'] = [];
  let left = maxCharacters;
  for (const { trees, metrics } of committed.slice(firstRound, firstRound + ROUNDS_PER_ANSWER)) {
    left -= charactersOf(trees, left);
    if (left < 0 || !metrics) break;
    const encoded = trees.map((tree) => encodeTree(tree));
    rounds.push({ round: firstRound + rounds.length, payload: encoded, metrics: { ...metrics } });
  }
  return rounds;
}

/** An upper bound where that is within `enough`, else the length itself. */
function charactersOf(trees: readonly BinnedTree[], enough: number): number {
  const bound = trees.reduce((sum, tree) => sum + tree.left.length * NODE_CHARACTERS, 0);
  return bound <= enough ? bound : JSON.stringify(trees.map((tree) => encodeTree(tree))).length;
}
