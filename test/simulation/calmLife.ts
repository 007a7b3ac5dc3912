// A life in which nothing happens by chance, for those in which one worker is not as the others.

import type { Life, LifeOptions } from './simulateRun.ts';

export const calm: LifeOptions = {
  rounds: 30,
  roundMs: 100,
  min: 3,
  max: 5,
  shards: 8,
  firstWorkers: 5,
  chaosMs: 3_000,
  calmMs: 1_000_000,
};

/** Workers that lost their place, as often as they did. */
export const lost = ({ events }: Life): string[] =>
  events.flatMap((event) => (event.type === 'workerLost' ? [event.workerId] : []));
