// How often a stranger's answers are computed again: as in BOINC's adaptive replication, often until enough checks came out
// right, then with a probability of one over their number, and never less than a floor.

import { PROVEN_AFTER_CHECKS } from './workerTrust.ts';

const UNPROVEN_RATE = 0.5;
const LEAST_CHECK_RATE = 1 / 50;

/** Share of a stranger's answers that are checked. @param checksPassed of its work, so far. */
export function checkRate(checksPassed: number): number {
  return checksPassed < PROVEN_AFTER_CHECKS ? UNPROVEN_RATE : Math.max(LEAST_CHECK_RATE, 1 / checksPassed);
}
