// When a trial, or all of them, have come as far as they should: by the owner's own rule or by the scheduler's.

import { functionStopper } from '../stop/functionStopper.ts';
import type { Stopper, StopReport, StopWatch } from '../stop/stopper.ts';
import type { StopRule, TuneSettings } from '../run/tuneOptions.ts';
import type { Trial, TrialReport } from '../trial/trial.ts';

type Ruled = Pick<TuneSettings, 'stop' | 'metric' | 'mode' | 'scheduler'>;

export class StopRules {
  readonly #settings: Ruled;
  readonly #watch: StopWatch;

  /** @param now milliseconds of a monotonic clock. */
  constructor(settings: Ruled, now: () => number) {
    this.#settings = settings;
    this.#watch = stopperOf(settings).start(now);
  }

  /** The rule that a trial reached with its newest report, in words; undefined to go on. */
  reached({ id, reports }: Trial, { iteration, metrics, elapsedMs }: TrialReport): string | undefined {
    const report: StopReport = { ...metrics, trainingIteration: iteration, timeTotalS: elapsedMs / 1000 };
    const history = reports.map((one) => one.metrics);
    const reason = this.#watch.hear(id, report, history);
    const { lastIteration = Infinity } = this.#settings.scheduler;
    return iteration >= lastIteration ? `reached maxT, ${iteration}` : reason;
  }

  /** Why the experiment ends; undefined to go on. */
  over(): string | undefined {
    return this.#watch.over?.();
  }
}

export function isStopper(stop: StopRule | undefined): stop is Stopper {
  return typeof stop === 'object' && typeof stop['start'] === 'function';
}

function stopperOf({ stop, metric, mode }: Ruled): Stopper {
  if (isStopper(stop)) return stop;
  if (typeof stop === 'function') return functionStopper(stop);
  const bounds = Object.entries(stop ?? {});
  return {
    start: () => ({
      hear(_trialId, report) {
        for (const [name, bound] of bounds) {
          const value = report[name];
          if (value === undefined) continue;
          const isLow = name === metric && mode === 'min';
          if (isLow ? value <= bound : value >= bound) return `${name} reached ${bound}`;
        }
        return undefined;
      },
    }),
  };
}
