// Lends only a share of the device's time to a neural net: after each microbatch the engine rests in proportion.

import type { TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import { delay, type Clock } from '../../shared/clock.ts';

/** Longest rest at a time, so that a lowered limit never looks like a dead worker to its peers. */
const MAX_REST_MS = 2_000;

/** @param share how much of the time the device may work, in (0, 1]; asked anew each time. */
export function throttledEngine(engine: TrainingEngine, share: () => number, clock: Clock): TrainingEngine {
  const accumulate: TrainingEngine['accumulate'] = async (batch, options) => {
    const fraction = share();
    const started = clock.now();
    await engine.accumulate(batch, options);
    if (fraction >= 1) return;
    const workedMs = clock.now() - started;
    await delay(clock, Math.min(MAX_REST_MS, workedMs * (1 / fraction - 1)));
  };
  // All else goes through as it is; the engine's methods need their own `this`.
  return new Proxy(engine, {
    get(target, name) {
      if (name === 'accumulate') return accumulate;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
