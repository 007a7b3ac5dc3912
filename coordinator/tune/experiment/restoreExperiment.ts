// From an experiment's folder to what a Tuner needs to go on with it.

import { basename, dirname } from 'node:path';
import { resolveSpace, type ParamSpace } from '../space/searchSpace.ts';
import { spaceFromJson } from '../space/spaceJson.ts';
import { ExperimentError } from '../space/tuneErrors.ts';
import type { Trainable, TuneRunConfig, TunerOptions } from '../run/tuneOptions.ts';
import { ExperimentFolder, type ExperimentState } from './experimentFolder.ts';
import type { Trial, TrialReport } from '../trial/trial.ts';

/** What `Tuner.restore` needs beside the record of the experiment. */
export interface RestoreOptions {
  /** As it was; datasets are not part of the record. */
  readonly trainable: Trainable;
  /** Needed where the space has functions or objects, which the record can't hold. */
  readonly paramSpace?: ParamSpace;
  /** Go on with failed trials from their last checkpoint. Default false. */
  readonly resumeErrored?: boolean;
  /** Begin failed trials anew. Default false. */
  readonly restartErrored?: boolean;
  /** What the record does not hold: a stop function, callbacks, verbosity. */
  readonly runConfig?: Pick<TuneRunConfig, 'stop' | 'callbacks' | 'verbose'>;
}

export interface RestoredExperiment {
  readonly options: TunerOptions;
  readonly trials: Trial[];
  readonly isClosed: boolean;
  readonly experimentId: string | undefined;
}

/** @throws ExperimentError */
export async function restoreExperiment(path: string, asked: RestoreOptions): Promise<RestoredExperiment> {
  const folder = new ExperimentFolder(path);
  const state = await folder.read();
  const reports = await folder.readReports();
  const paramSpace = asked.paramSpace ?? (spaceFromJson(state.paramSpace) as ParamSpace | undefined);
  if (paramSpace === undefined) {
    throw new ExperimentError(
      `The search space of ${path} has functions or objects, which its record can not hold; give paramSpace to Tuner.restore.`,
      { field: 'paramSpace' },
    );
  }
  checkSameSpace(state, paramSpace, path);
  const runConfig = state.runConfig as TuneRunConfig;
  const trials = state.trials.map((saved) => restoredTrial(saved, reports.get(saved.index) ?? [], asked));
  return {
    options: {
      trainable: asked.trainable,
      paramSpace,
      tuneConfig: state.tuneConfig,
      runConfig: { ...runConfig, ...asked.runConfig, name: basename(path), storagePath: dirname(path) },
    },
    trials,
    isClosed: state.isFinished,
    experimentId: state.experimentId,
  };
}

function restoredTrial(
  saved: ExperimentState['trials'][number],
  reports: TrialReport[],
  { resumeErrored = false, restartErrored = false }: RestoreOptions,
): Trial {
  const { checkpoint, renewedAt, givenUp, stopReason, prunedAt, runId, error, ...rest } = saved;
  const isAgain = saved.status === 'errored' && (resumeErrored || restartErrored);
  const isKept = (saved.status === 'finished' || saved.status === 'errored') && !isAgain;
  const isAnew = saved.status === 'errored' && restartErrored;
  const last = isKept || isAnew ? (prunedAt ?? Infinity) : (checkpoint?.iteration ?? 0);
  const kept = reports.filter(({ iteration }) => iteration <= last);
  return {
    ...rest,
    status: isKept || saved.status === 'paused' ? saved.status : 'pending',
    reports: isAnew ? [] : kept,
    ...(checkpoint && !isAnew && { checkpoint }),
    ...(renewedAt !== undefined && !isAnew && { renewedAt }),
    ...(givenUp && !isAnew && { givenUp }),
    ...(isKept && stopReason !== undefined && { stopReason }),
    ...(isKept && prunedAt !== undefined && { prunedAt }),
    ...(runId !== undefined && { runId }),
    ...(isKept && error && { error }),
    ...(isAgain && { failures: 0 }),
    workedMs: isAnew ? 0 : saved.workedMs,
  };
}

/** Trials are values for the domains of one space; another space would misread them. */
function checkSameSpace({ dimensions }: ExperimentState, paramSpace: ParamSpace, path: string): void {
  const now = resolveSpace(paramSpace).dimensions.map(
    ({ path, form }) => `${path}: ${form.kind === 'number' ? form.written : form.kind}`,
  );
  const then = dimensions.map(({ path, written }) => `${path}: ${written}`);
  if (now.join('\n') === then.join('\n')) return;
  throw new ExperimentError(
    `paramSpace differs from that of ${path}: expected ${then.join('; ')}, given ${now.join('; ')}.`,
    { field: 'paramSpace' },
  );
}
