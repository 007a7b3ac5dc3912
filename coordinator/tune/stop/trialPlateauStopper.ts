// Ray's TrialPlateauStopper.

import { deviation, type Stopper } from './stopper.ts';

/** When `trialPlateauStopper` ends a trial. */
export interface TrialPlateauOptions {
  /** Default 0.01. */
  readonly std?: number;
  /** Reports that are looked at; default 4. */
  readonly numResults?: number;
  /** Reports that every trial gets; default 4. */
  readonly gracePeriod?: number;
  /** Trials that are not as good as this go on. */
  readonly metricThreshold?: number;
  /** Which end of the threshold is good; default "min". */
  readonly mode?: 'min' | 'max';
}

/** Ends a trial when the standard deviation of its last reports of `metric` is below `std`. */
export function trialPlateauStopper(
  metric: string,
  { std = 0.01, numResults = 4, gracePeriod = 4, metricThreshold, mode = 'min' }: TrialPlateauOptions = {},
): Stopper {
  return {
    start: () => ({
      hear(_trialId, report, history) {
        const value = report[metric];
        const values = history.flatMap((one) => one[metric] ?? []).slice(-numResults);
        if (value === undefined || history.length < gracePeriod || values.length < numResults)
          return undefined;
        const isGood =
          metricThreshold === undefined ||
          (mode === 'min' ? value <= metricThreshold : value >= metricThreshold);
        if (!isGood || !(deviation(values) < std)) return undefined;
        return `${metric} has not moved in ${numResults} reports`;
      },
    }),
  };
}
