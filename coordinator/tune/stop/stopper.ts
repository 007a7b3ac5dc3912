// What a stopper is: a rule that ends trials, or the whole experiment, by what is reported. Ray's are here, a file each.

import type { Metrics } from '../../train/result.ts';

/** A report as stopping rules see it. */
export type StopReport = Metrics & { readonly trainingIteration: number; readonly timeTotalS: number };

/** A rule that ends trials, or the whole experiment, by what trials report. */
export interface Stopper {
  /** Called once for each fit. @param now milliseconds of a monotonic clock. */
  start(now: () => number): StopWatch;
}

/** A stopper at work. */
export interface StopWatch {
  /**
   * @param history the trial's reports, the new one last.
   * @returns why the trial ends with this report; undefined to go on.
   */
  hear(trialId: string, report: StopReport, history: readonly Metrics[]): string | undefined;
  /** Why the experiment ends: no trial begins any more, and those that run end with the iteration in flight. */
  over?(): string | undefined;
}

/** np.std: of the population. */
export function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
