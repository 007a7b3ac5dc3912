// Ray's FunctionStopper: the owner's own rule.

import type { StopReport, Stopper } from './stopper.ts';

/** Ends a trial when the function says so. */
export function functionStopper(isEnough: (trialId: string, report: StopReport) => boolean): Stopper {
  return {
    start: () => ({
      hear: (trialId, report) => (isEnough(trialId, report) ? 'the stop function said so' : undefined),
    }),
  };
}
