// One boosting round: a tree for each output, all from the margins at the round's start. Nothing changes yet: the
// caller applies the trees when the round is committed.

import type { BinnedTree } from '../../kernels/gbdt/binnedTree.ts';
import type { TrainingGroup } from './growTree.ts';
import { growTree } from './growTree.ts';

/**
 * Grows the trees of a round of this run; tree i belongs to output i. Equal bits at every member.
 * @throws AbortedError, DeadlineError or PeerLostError of the collective.
 */
export async function boostRound({
  round,
  ...group
}: TrainingGroup & { readonly round: number }): Promise<BinnedTree[]> {
  const { firstRound = 0 } = group.spec;
  const trees: BinnedTree[] = [];
  for (let output = 0; output < group.spec.device.outputs; output += 1) {
    trees.push(await growTree(group, firstRound + round, output));
  }
  return trees;
}
