// Follows a run whose owner's process has ended, from its first event, and writes its record as that process would have.

import { resolve } from 'node:path';
import { z } from 'zod';
import { TabgradError } from '../../../kernels/errors.ts';
import type { FoundRun, RunCluster } from '../../cluster/cluster.ts';
import { RemoteError } from '../../cluster/remote/remoteErrors.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { runConfig, scalingConfig } from '../../options/runOptions.ts';
import { withInterrupt } from '../../progress/withInterrupt.ts';
import { readRunFile, RUN_FILE, type RunFile } from '../record/runFile.ts';
import { RunFolder } from '../record/runFolder.ts';
import { orFailedRecord, ownersPlace, recordRun, type RunAttempt } from './recordRun.ts';
import { RunNotAttachedError } from '../trainErrors.ts';
import { showProgress } from './showProgress.ts';
import type { RunPlace, RunRecording, TrainerWorld } from './trainerKind.ts';
import { trainError } from '../../options/trainArgumentError.ts';

export const attachOptions = z.strictObject({
  signal: z
    .instanceof(AbortSignal)
    .optional()
    .describe('Calls the run off, as that of fit does. Without it Ctrl-C does.'),
  url: scalingConfig.shape.url.describe(
    "The coordinator's address, where it is not the one that the run was asked for at.",
  ),
  token: scalingConfig.shape.token,
  callbacks: runConfig.shape.callbacks,
  verbose: runConfig.shape.verbose,
});

/** How a run is followed that another process asked for. */
export interface AttachOptions extends Readonly<z.input<typeof attachOptions>> {}

/**
 * @param folder the run's, with the run.json that its owner left.
 * @throws RunNotAttachedError where there is none, or one of another trainer; RemoteError with RUN_UNKNOWN where the
 * coordinator does not know the run any more: the folder is left as it is then. Else what `fit` throws.
 */
export function attachRun<Plan, R>(
  recording: RunRecording<Plan, R>,
  folder: string,
  options: AttachOptions,
  world: TrainerWorld,
): Promise<R> {
  const checked = checkOptions(attachOptions, options, trainError);
  return withInterrupt(checked.signal, (until) =>
    attach(recording, resolve(folder), { ...checked, signal: until }, world),
  );
}

async function attach<Plan, R>(
  recording: RunRecording<Plan, R>,
  path: string,
  options: AttachOptions & { readonly signal: AbortSignal },
  world: TrainerWorld,
): Promise<R> {
  const file = await readRunFile(path);
  const plan = recall(recording, file, path);
  const { url = file.url, token, callbacks, verbose, signal } = options;
  const now = (): number => world.now();
  const startedAt = now();
  const asked = { callbacks, ...(verbose !== undefined && { verbose }) };
  const total = recording.trainer === 'loop' ? 0 : file.facts.totalRounds;
  const shown = showProgress(asked, total, now, signal);
  const owner = shown.runConfig;
  const wish = { options: { scalingConfig: { url, token }, runConfig: owner }, workers: { min: 1, max: 1 } };
  let cluster: RunCluster | undefined;
  let folder: RunFolder | undefined;
  try {
    cluster = await world.openCluster(wish, signal);
    const found = await findRun(cluster, file, path);
    folder = await RunFolder.reopen(path, file);
    const attempt: RunAttempt = {
      folder,
      facts: { ...file.facts },
      clock: { now, startedAt, preparedAt: now() },
      broken: new AbortController(),
    };
    const { name } = file.facts;
    const place: RunPlace = {
      ...ownersPlace(owner, attempt),
      cluster,
      folder,
      name,
      checkpoints: file.checkpoints,
      signal,
      now,
    };
    return await orFailedRecord(attempt, () =>
      recordRun(() => Promise.resolve(found.follow()), recording.record(plan, place), attempt, place),
    );
  } finally {
    shown.close();
    folder?.close();
    await cluster?.close();
  }
}

/** @throws RunNotAttachedError */
function recall<Plan, R>(recording: RunRecording<Plan, R>, file: RunFile, path: string): Plan {
  const { trainer } = recording;
  if (file.trainer !== trainer) {
    throw new RunNotAttachedError(
      `${path} holds a run of the trainer "${file.trainer}", expected one of "${trainer}".`,
      { file: path },
    );
  }
  try {
    return recording.recall(file.plan);
  } catch (cause) {
    if (!(cause instanceof TabgradError || cause instanceof z.ZodError)) throw cause;
    throw new RunNotAttachedError(
      `${path}/${RUN_FILE} is damaged: ${cause.message}`,
      { file: path },
      { cause },
    );
  }
}

async function findRun(cluster: RunCluster, { facts }: RunFile, path: string): Promise<FoundRun> {
  const { runId, name } = facts;
  try {
    if (cluster.findRun) return await cluster.findRun(runId);
  } catch (error) {
    if (!(error instanceof RemoteError) || error.code !== 'RUN_UNKNOWN') throw error;
  }
  throw new RemoteError(
    'RUN_UNKNOWN',
    `The coordinator at ${cluster.url} does not know run "${name}" (${runId}) of ${path}, or not any more: train it anew with ` +
      `runConfig.overwrite (--overwrite).`,
  );
}
