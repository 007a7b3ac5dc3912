// Ray's TimeoutStopper. Unlike tuneConfig.timeBudgetS it looks at the clock only when a trial reports, as Ray's does.

import { TuneArgumentError } from '../space/tuneErrors.ts';
import type { Stopper } from './stopper.ts';

/** Ends the experiment so many seconds after its beginning. @throws TuneArgumentError */
export function timeoutStopper(timeoutS: number): Stopper {
  if (!(timeoutS > 0)) {
    throw new TuneArgumentError(`timeoutStopper got ${timeoutS}; expected seconds above 0.`, {
      field: 'timeoutS',
    });
  }
  return {
    start(now) {
      const endsAt = now() + timeoutS * 1000;
      return {
        hear: () => undefined,
        over: () => (now() >= endsAt ? `${timeoutS} s are over` : undefined),
      };
    },
  };
}
