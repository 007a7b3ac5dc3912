// Bounds of labels and weights, from which the fixed-point scales of a run follow.

import { marginFractionBits } from '../../../shared/gbdt/buildTrainSpec.ts';
import { LABEL_LIMIT, type TargetRange } from '../../../shared/gbdt/labels.ts';
import type { GbdtParams } from '../../../shared/gbdt/params.ts';
import type { SpooledSet } from './spoolDataset.ts';

/**
 * The training set's, so that evaluation sets don't change the model. Only labels of an evaluation set that would not
 * fit those scales (more than twice the training set's largest) widen them: its metrics would be wrong otherwise.
 * @param sets the training set first.
 */
export function targetRange(sets: readonly SpooledSet[], params: GbdtParams): TargetRange {
  const [train] = sets;
  if (!train) return { maxAbsLabel: 0, maxWeight: 1 };
  const { maxAbsLabel, maxWeight } = train;
  const largest = Math.max(...sets.map((set) => set.maxAbsLabel));
  const own = { maxAbsLabel, maxWeight };
  const limit = LABEL_LIMIT * 2 ** -marginFractionBits(params, own, train.spool.rows);
  return largest < limit ? own : { maxAbsLabel: largest, maxWeight };
}
