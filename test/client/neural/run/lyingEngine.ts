// An engine that lies in some of its own contributions, and does everybody else's work again as it is.

import type { TrainingEngine } from '../../../../shared/neural/trainingEngine.ts';

/** @param isLie asked once a step, counted from the first one here. @param size of the change of one number. */
export function lying(engine: TrainingEngine, isLie: (step: number) => boolean, size = 1e-3): TrainingEngine {
  let steps = 0;
  let isOwn = true;
  let lies = isLie(0);
  const readBucket = engine.readBucket.bind(engine);
  const update = engine.update.bind(engine);
  const clear = engine.clear.bind(engine);
  engine.update = (options) => {
    steps += 1;
    isOwn = true;
    lies = isLie(steps);
    update(options);
  };
  engine.clear = () => {
    // The state is settled with one, before the first step.
    if (steps > 0) isOwn = false;
    clear();
  };
  engine.readBucket = async (bucket) => {
    const values = await readBucket(bucket);
    if (isOwn && lies && bucket === 0) values[0]! += size;
    return values;
  };
  return engine;
}
