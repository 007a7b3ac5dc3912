// Whose turn it is.

import { settledTrials } from '../search/searcher.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import { observationsOf } from './score.ts';
import { isOver, newTrial, type Trial } from '../trial/trial.ts';

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
  if (awaitedTrial(trials, searcher) !== undefined) return undefined;
  const settled = settledTrials(searcher, index);
  const observations = observationsOf(trials, settled, settings);
  return newTrial(index, searcher.propose({ space, seed, index, observations }));
}

/** Why the next new trial can't be made yet, though there is room for one; undefined where it can, or none is to come. */
export function queueReason(
  trials: readonly Trial[],
  planned: number,
  { searcher }: Pick<TuneSettings, 'searcher'>,
): string | undefined {
  if (trials.length >= planned || trials.some(({ status }) => status === 'waiting' || status === 'pending'))
    return undefined;
  const awaited = awaitedTrial(trials, searcher);
  if (awaited === undefined) return undefined;
  return `trial ${trials.length} waits for trial ${awaited}: ${searcher.name} learns from it`;
}

/** The first trial that has to be over before the next new one is proposed, and is not. */
function awaitedTrial(trials: readonly Trial[], searcher: TuneSettings['searcher']): number | undefined {
  return trials.slice(0, settledTrials(searcher, trials.length)).find((trial) => !isOver(trial))?.index;
}
