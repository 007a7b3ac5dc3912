// What experiment.json holds, put together from the experiment.

import { spaceToJson } from '../space/spaceJson.ts';
import type { TuneSettings } from '../run/tuneOptions.ts';
import { isStopper } from './stopRule.ts';
import type { ExperimentState } from './experimentFolder.ts';
import type { Trial } from '../trial/trial.ts';

export function experimentState(
  settings: TuneSettings,
  trials: readonly Trial[],
  isFinished: boolean,
): ExperimentState {
  const { experimentId, name, seed, space, numSamples, metric, mode, maxConcurrentTrials, timeBudgetMs } =
    settings;
  const { searcher, schedulerChoice, maxFailures, failFast, stop } = settings;
  return {
    format: 1,
    experimentId,
    name,
    seed,
    paramSpace: spaceToJson(space.space),
    dimensions: space.dimensions.map(({ path, form }) => ({
      path,
      written: form.kind === 'number' ? form.written : form.kind,
    })),
    tuneConfig: {
      numSamples: Number.isFinite(numSamples) ? numSamples : -1,
      searcher:
        searcher.parallel === undefined
          ? searcher.name
          : { name: searcher.name, parallel: searcher.parallel },
      scheduler: schedulerChoice,
      seed,
      ...(metric !== undefined && { metric, mode }),
      ...(maxConcurrentTrials !== undefined && { maxConcurrentTrials }),
      ...(Number.isFinite(timeBudgetMs) && { timeBudgetS: timeBudgetMs / 1000 }),
    },
    runConfig: {
      failureConfig: { maxFailures, failFast },
      ...(typeof stop === 'object' && !isStopper(stop) && { stop }),
    },
    isFinished,
    trials: trials.map(({ reports: _reports, waiting: _waiting, ...trial }) => ({ ...trial })),
  };
}
