// Ray's MaximumIterationStopper.

import { TuneArgumentError } from '../space/tuneErrors.ts';
import type { Stopper } from './stopper.ts';

/** Ends each trial after so many reports. @throws TuneArgumentError */
export function maximumIterationStopper(maxIter: number): Stopper {
  if (!Number.isInteger(maxIter) || maxIter < 1) {
    throw new TuneArgumentError(
      `maximumIterationStopper got ${maxIter}; expected a whole number of at least 1.`,
      {
        field: 'maxIter',
      },
    );
  }
  return {
    start: () => ({
      hear: (_trialId, { trainingIteration }) =>
        trainingIteration >= maxIter ? `reached iteration ${maxIter}` : undefined,
    }),
  };
}
