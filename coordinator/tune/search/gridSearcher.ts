// Ray's basic variants: every combination of the gridSearches, numSamples times; other domains are drawn for each trial.

import type { ListForm } from '../space/domain.ts';
import { sampleSpace } from '../space/sampleSpace.ts';
import type { Dimension, SearchSpace } from '../space/searchSpace.ts';
import type { Searcher } from './searcher.ts';

function gridDimensions({ dimensions }: SearchSpace): (Dimension & { readonly form: ListForm })[] {
  return dimensions.filter(
    (dimension): dimension is Dimension & { form: ListForm } => dimension.form.kind === 'grid',
  );
}

function combinations(space: SearchSpace): number {
  return gridDimensions(space).reduce((product, { form }) => product * form.values.length, 1);
}

export const gridSearcher: Searcher = {
  name: 'grid',
  doc: 'Every combination of the gridSearches, numSamples times; what is no gridSearch is drawn.',
  trials: (space, numSamples) => numSamples * combinations(space),
  check: () => undefined,
  propose({ space, seed, index }) {
    const fixed: Record<string, number> = {};
    let rest = index % combinations(space);
    // The last gridSearch of the space changes fastest.
    for (const { path, form } of gridDimensions(space).toReversed()) {
      fixed[path] = rest % form.values.length;
      rest = Math.floor(rest / form.values.length);
    }
    return sampleSpace(space, seed, index, fixed);
  },
};
