// An experiment's folder as plots need it; no trainable is asked for.

import { basename, resolve } from 'node:path';
import { ExperimentFolder } from '../experiment/experimentFolder.ts';
import { resolveSpace, shownValues, type ParamSpace } from '../space/searchSpace.ts';
import { spaceFromJson } from '../space/spaceJson.ts';
import type { PlottableExperiment } from './plotTrials.ts';

/** @throws ExperimentError */
export async function readExperiment(path: string): Promise<PlottableExperiment> {
  const folder = new ExperimentFolder(resolve(path));
  const { paramSpace, tuneConfig, trials } = await folder.read();
  const reports = await folder.readReports();
  // Of a space with functions the record has only which of its values each trial has.
  const space = paramSpace === undefined ? undefined : resolveSpace(spaceFromJson(paramSpace) as ParamSpace);
  const { metric, mode } = tuneConfig;
  return {
    name: basename(folder.path),
    metric: typeof metric === 'string' ? metric : undefined,
    mode: mode === 'max' || mode === 'min' ? mode : undefined,
    trials: trials.map(({ index, status, assignment, prunedAt = Infinity }) => ({
      index,
      status,
      params: space ? shownValues(space, assignment) : assignment,
      metricsTable: (reports.get(index) ?? [])
        .filter(({ iteration }) => iteration <= prunedAt)
        .map(({ iteration, metrics }) => ({ ...metrics, trainingIteration: iteration })),
    })),
  };
}
