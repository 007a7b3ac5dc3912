// What an experiment is made of: its settings, its folder, who runs its trials, and what an earlier process left.

import type { TrialRunner } from '../trial/trialRunner.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import type { ExperimentFolder } from './experimentFolder.ts';
import type { Trial } from '../trial/trial.ts';

export interface ExperimentParts {
  readonly settings: TuneSettings;
  /** Makes the folder's writer; it is told whom to tell of a failure. */
  readonly openFolder: (onFailure: (error: Error) => void) => ExperimentFolder;
  readonly runner: TrialRunner;
  /** From an earlier process; empty for a new experiment. */
  readonly trials: Trial[];
  /** The experiment came to its end before, perhaps of its time: no new trials are made. */
  readonly isClosed: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}
