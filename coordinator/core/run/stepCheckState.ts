// What the run machine keeps of the checks of a net's steps.

import type { StepTrial } from '../trust/neural/judgeStep.ts';
import type { SavedState } from './runRequest.ts';

/** What a run goes back to. */
export interface Undo {
  /** Undefined: the state that the run began with. */
  readonly savedState: SavedState | undefined;
  readonly reason: string;
}

export interface StepCheckState {
  /** Checks in this generation that were right, as most members told. */
  readonly passed: number;
  /** A step whose check found something else than was said. */
  readonly trial: StepTrial | undefined;
  /** By worker that is not the owner's: the last state that was stored before it came; undefined: the first. */
  readonly entries: ReadonlyMap<string, SavedState | undefined>;
  /** What is gone back to once the group has stopped. */
  readonly undo: Undo | undefined;
}

export const noStepChecks: StepCheckState = {
  passed: 0,
  trial: undefined,
  entries: new Map(),
  undo: undefined,
};
