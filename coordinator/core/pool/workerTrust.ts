// How far a worker is believed: the owner's own is; a stranger's work is checked, often until enough checks came out right.

import type { WorkerTrust } from '../../../shared/api/workerAnswers.ts';
import type { PoolWorker } from './poolWorker.ts';

/** Checks in a row that a stranger has to pass: as in BOINC's adaptive replication. */
export const PROVEN_AFTER_CHECKS = 10;

/** A liar's checks are taken from it, so that they need not be asked for here. */
export function trustOf({
  isOwners,
  checksPassed,
}: Pick<PoolWorker, 'isOwners' | 'checksPassed'>): WorkerTrust {
  if (isOwners) return 'owners';
  return checksPassed >= PROVEN_AFTER_CHECKS ? 'proven' : 'unproven';
}
