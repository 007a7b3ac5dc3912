// The members of a group each load what all of them lease, where that is little: then every one of them grows whole trees by
// itself. Who leases what is the coordinator's word: a member could tell each of the others something else.

import { areShared } from '../../shared/gbdt/sharedRows.ts';
import type { Lease } from '../../shared/protocol/control.ts';
import { BadAssignmentError } from '../memberRun/errors.ts';
import type { RunData } from './runData.ts';

/**
 * @param groupLeases of each rank, as the assignment has them.
 * @returns whether this member holds all rows now; the same at all members.
 * @throws BadAssignmentError when the leases of all do not make the training set; what loading throws.
 */
export async function shareRows(
  data: RunData,
  groupLeases: readonly (readonly Lease[])[],
  signal: AbortSignal,
): Promise<boolean> {
  const { trainRows, features, sharesRows } = data.spec;
  if (groupLeases.length < 2 || sharesRows !== true) return false;
  const leases = groupLeases.flat();
  checkLeases(leases, trainRows);
  const rows = leases.reduce((sum, one) => sum + one.rows, 0);
  if (!areShared(rows, features.length)) return false;
  await data.holdShared(leases, signal);
  return true;
}

/** Every shard once, and those of the training set one after the other. */
function checkLeases(leases: readonly Lease[], trainRows: number): void {
  const wrong = (what: string): BadAssignmentError =>
    new BadAssignmentError(`the leases of all members ${what}`, { field: 'groupLeases' });
  const seen = new Set(leases.map(({ dataset, index }) => JSON.stringify([dataset, index])));
  if (seen.size !== leases.length) throw wrong('name a shard twice');
  let next = 0;
  const ofTraining = leases.filter(({ dataset }) => dataset === 'train');
  for (const { firstRow, rows } of ofTraining.sort((a, b) => a.firstRow - b.firstRow)) {
    if (firstRow !== next) throw wrong(`have row ${firstRow} of the training set after row ${next - 1}`);
    next += rows;
  }
  if (next !== trainRows) throw wrong(`have ${next} rows of the training set, which has ${trainRows}`);
}
