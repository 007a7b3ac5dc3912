// From a run that is asked for, or found again, to its end, and to what is written down of it.

import { DeadlineError } from '../../../kernels/errors.ts';
import { CoordinatorUnreachableError } from '../../cluster/remote/remoteErrors.ts';
import type { RunHandle } from '../../core/run/runRequest.ts';
import type { RunConfig } from '../../options/runOptions.ts';
import { notifyOwner, warnOwner } from '../../options/tellOwner.ts';
import { followRun } from './followRun.ts';
import { failedRecord, resultRecord, type RunClock, type RunFacts } from '../record/resultRecord.ts';
import type { RunFolder } from '../record/runFolder.ts';
import { ResultWriteError } from '../trainErrors.ts';
import type { RecordedRun, RunPlace } from './trainerKind.ts';

/** What is known of a run that is being recorded. */
export interface RunAttempt {
  readonly folder: RunFolder;
  readonly facts: RunFacts;
  readonly clock: RunClock;
  /** Ends the run when a write or a callback failed. */
  readonly broken: AbortController;
}

/** What a run tells its owner. */
export function ownersPlace(
  runConfig: RunConfig | undefined,
  { broken }: RunAttempt,
): Pick<RunPlace, 'fail' | 'notify' | 'onCheckpoint' | 'warn'> {
  return {
    notify: (event) => notifyOwner(runConfig, event),
    warn: (message) => warnOwner(runConfig, message),
    onCheckpoint(checkpoint, metrics) {
      for (const callback of runConfig?.callbacks ?? []) callback.onCheckpoint?.(checkpoint, metrics);
    },
    fail: (error) => broken.abort(error),
  };
}

/** Follows a run and writes its result. @throws what the run or a write failed with. */
export async function recordRun<R>(
  start: () => Promise<RunHandle>,
  run: RecordedRun<R>,
  { folder, facts, clock, broken }: RunAttempt,
  { signal, notify }: RunPlace,
): Promise<R> {
  const { recorder, isEnough, best } = run;
  Object.assign(facts, { progress: recorder.progress, rounds: () => recorder.rounds }, best && { best });
  let handle: RunHandle | undefined;
  try {
    const { status } = await followRun({
      name: facts.name,
      start: async () => (handle = await start()),
      recorder,
      broken,
      signal,
      notify,
      ...(isEnough && { isEnough }),
    });
    const isWhole = status === 'finished' || run.isWhole?.() === true;
    const record = resultRecord(isWhole ? 'finished' : 'stopped', folder, facts, clock);
    const result = run.result(record);
    await folder.writeResult(record);
    return result;
  } catch (error) {
    if (canBeAttached(handle, error)) folder.keepRunFile();
    throw error;
  }
}

/** Runs the work; where it fails, result.json says so. */
export async function orFailedRecord<R>(
  { folder, facts, clock }: RunAttempt,
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work();
  } catch (error) {
    await folder.writeResult(failedRecord(error, folder, facts, clock)).catch(() => undefined);
    throw error;
  }
}

/** Whether following the run again may give more than this record has. */
function canBeAttached(handle: RunHandle | undefined, error: unknown): boolean {
  if (handle?.mayGoOn?.() === true || error instanceof ResultWriteError) return true;
  // The coordinator may have taken the run, or have its outcome.
  return error instanceof CoordinatorUnreachableError || error instanceof DeadlineError;
}
