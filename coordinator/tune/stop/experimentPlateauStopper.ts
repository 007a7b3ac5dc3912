// Ray's ExperimentPlateauStopper. It counts reports of all trials as they come in, so when it ends the experiment depends
// on speed, as the end of a time budget does.

import { deviation, type Stopper } from './stopper.ts';

/** When `experimentPlateauStopper` ends an experiment. */
export interface ExperimentPlateauOptions {
  /** Default 0.001. */
  readonly std?: number;
  /** Best values that are looked at; default 10. */
  readonly top?: number;
  /** Default "min". */
  readonly mode?: 'min' | 'max';
  /** Reports for which nothing may change; default 0. */
  readonly patience?: number;
}

/** Ends the experiment when the best values of `metric` that any trial reported lie closer than `std`. */
export function experimentPlateauStopper(
  metric: string,
  { std = 0.001, top = 10, mode = 'min', patience = 0 }: ExperimentPlateauOptions = {},
): Stopper {
  return {
    start() {
      let best: readonly number[] = [];
      let reports = 0;
      const isFlat = (): boolean => best.length === top && deviation(best) <= std;
      return {
        hear(_trialId, report) {
          const value = report[metric];
          if (value === undefined || !Number.isFinite(value)) return undefined;
          best = [...best, value].sort((a, b) => (mode === 'min' ? a - b : b - a)).slice(0, top);
          reports = isFlat() ? reports + 1 : 0;
          return undefined;
        },
        over: () =>
          isFlat() && reports >= patience
            ? `the best ${top} values of ${metric} differ no more than ${std}`
            : undefined,
      };
    },
  };
}
