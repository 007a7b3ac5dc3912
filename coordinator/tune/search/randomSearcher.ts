// Random search: every trial is drawn by itself. A gridSearch counts as a choice.

import { sampleSpace } from '../space/sampleSpace.ts';
import type { Searcher } from './searcher.ts';

export const randomSearcher: Searcher = {
  name: 'random',
  doc: 'Every trial is drawn by itself; gridSearch counts as choice.',
  trials: (_space, numSamples) => numSamples,
  check: () => undefined,
  propose: ({ space, seed, index }) => sampleSpace(space, seed, index),
};
