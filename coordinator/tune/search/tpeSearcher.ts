// Tree-structured Parzen estimator (Bergstra et al. 2011) with Optuna's defaults: 10 random trials first, then for each
// dimension the likeliest good value of 24 that are drawn like the good ones. A trial learns from all but the
// last three before it; those count as bad (constant liar), whether they still run or not, so that the same seed gives the
// same trials whatever the concurrency.

import { SearchSpaceError } from '../space/tuneErrors.ts';
import type { Dimension } from '../space/searchSpace.ts';
import { sampleSpace } from '../space/sampleSpace.ts';
import { randomFromWords } from '../../../shared/text/randomFromWords.ts';
import type { Observation, Searcher } from './searcher.ts';
import { choiceParzen, numberParzen, type Parzen } from './tpe/parzen.ts';
import { splitTrials } from './splitTrials.ts';

const START_UP_TRIALS = 10;
const CANDIDATES = 24;

export const tpeSearcher: Searcher = {
  name: 'tpe',
  doc: 'Tree-structured Parzen estimator: 10 random trials, then values like those of the best tenth.',
  parallel: 4,
  startUp: START_UP_TRIALS,
  trials: (_space, numSamples) => numSamples,
  check({ dimensions }) {
    for (const { path, form } of dimensions) {
      if (form.kind !== 'grid') continue;
      throw new SearchSpaceError(
        `paramSpace.${path} is a gridSearch, which the searcher "tpe" can not follow; use choice, or the searcher "grid".`,
        { field: `paramSpace.${path}` },
      );
    }
  },
  propose({ space, seed, index, observations }) {
    const finished = observations.filter((one) => one.state !== 'running' && one.score !== undefined);
    if (finished.length < START_UP_TRIALS) return sampleSpace(space, seed, index);
    const { good, other } = splitTrials(observations);
    const chosen: Record<string, unknown> = {};
    for (const dimension of space.dimensions) {
      const { path, form } = dimension;
      if (form.kind === 'sampleFrom') continue;
      const random = randomFromWords(seed, index, path, 'tpe');
      chosen[path] = likeliest(parzenOf(dimension, good), parzenOf(dimension, other), random);
    }
    return sampleSpace(space, seed, index, chosen);
  },
};

function parzenOf({ path, form }: Dimension, trials: readonly Observation[]): Parzen {
  const observed = trials.map(({ assignment }) => assignment[path] as number);
  return form.kind === 'number'
    ? numberParzen(form, observed)
    : choiceParzen(form.kind === 'sampleFrom' ? 1 : form.values.length, observed);
}

/** The candidate that the good trials make most likely over the others; the first of equals. */
function likeliest(good: Parzen, other: Parzen, random: () => number): number {
  let best = 0;
  let bestRatio = -Infinity;
  for (let i = 0; i < CANDIDATES; i++) {
    const candidate = good.sample(random);
    const ratio = good.logDensity(candidate) - other.logDensity(candidate);
    if (i > 0 && !(ratio > bestRatio)) continue;
    best = candidate;
    bestRatio = ratio;
  }
  return best;
}
