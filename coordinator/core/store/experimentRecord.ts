// Where tuning experiments are recorded.

import type { ExperimentUpdate, ExperimentWishes } from '../../../shared/api/experiment.ts';

/** Where experiments are recorded. What resolved is durable. */
export interface ExperimentRecord {
  /**
   * Adds the experiment or brings it up to date; trials that are not in the update stay as they are. Resolves with what
   * others wish of its owner's process.
   */
  save(experimentId: string, update: ExperimentUpdate): Promise<ExperimentWishes>;
}
