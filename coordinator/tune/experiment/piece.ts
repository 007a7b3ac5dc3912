// What a piece of a trial's work is made of.

import { configOf, type SearchSpace } from '../space/searchSpace.ts';
import type { Trial } from '../trial/trial.ts';
import type { TrialPiece } from '../trial/trialRunner.ts';

export function pieceOf(
  { id, index, assignment, checkpoint }: Trial,
  space: SearchSpace,
  experimentFolder: string,
  signal: AbortSignal,
): TrialPiece {
  return { id, index, config: configOf(space, assignment), experimentFolder, checkpoint, signal };
}

/** What a trial at the end of its generation waits for. */
export function pausedReason({ index, reports }: Trial): string {
  return `trial ${index} waits for the others at iteration ${reports.at(-1)?.iteration ?? 0}`;
}
