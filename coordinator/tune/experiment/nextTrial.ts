// Whose turn it is.

import { settledTrials } from '../search/searcher.ts';
import type { TuneSettings } from '../tuneOptions.ts';
import { observationsOf } from './score.ts';
import { isOver, newTrial, type Trial } from './trial.ts';

/**
 * The trial that may begin or go on now: the first of those that were interrupted, else a new one; undefined where there is
 * none, or where its turn has not come.
 * @param planned trials in all.
 * @throws what a sampleFrom of the owner's throws.
 */
export function nextTrial(
  trials: readonly Trial[],
  planned: number,
  settings: Pick<TuneSettings, 'searcher' | 'space' | 'seed' | 'metric' | 'mode'>,
): Trial | undefined {
  // One at a time waits for workers: who came first gets them first.
  if (trials.some(({ status }) => status === 'waiting')) return undefined;
  const interrupted = trials.find(({ status }) => status === 'pending');
  if (interrupted || trials.length >= planned) return interrupted;
  const { searcher, space, seed } = settings;
  const index = trials.length;
  const settled = settledTrials(searcher, index);
  if (!trials.slice(0, settled).every(isOver)) return undefined;
  const observations = observationsOf(trials, settled, settings);
  return newTrial(index, searcher.propose({ space, seed, index, observations }));
}
