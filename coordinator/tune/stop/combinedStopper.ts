// Ray's CombinedStopper.

import type { Stopper } from './stopper.ts';

/** Ends what any one of the stoppers ends. */
export function combinedStopper(...stoppers: readonly Stopper[]): Stopper {
  return {
    start(now) {
      const watches = stoppers.map((stopper) => stopper.start(now));
      return {
        hear(trialId, report, history) {
          // All of them hear every report.
          const reasons = watches.map((watch) => watch.hear(trialId, report, history));
          return reasons.find((reason) => reason !== undefined);
        },
        over() {
          for (const watch of watches) {
            const reason = watch.over?.();
            if (reason !== undefined) return reason;
          }
          return undefined;
        },
      };
    },
  };
}
