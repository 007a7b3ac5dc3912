// One run of any trainer: opens its folder, prepares the data, asks a cluster for the run, follows it to its end, and writes
// down what came of it. What differs by kind is a TrainerKind.

import { randomUUID } from 'node:crypto';
import type { RunCluster } from '../../cluster/cluster.ts';
import type { RunRequest } from '../../core/run/runRequest.ts';
import type { RunConfig, RunSettings, ScalingConfig } from '../../options/runOptions.ts';
import { withInterrupt } from '../../progress/withInterrupt.ts';
import { demandOf } from './followRun.ts';
import { RunFolder } from '../record/runFolder.ts';
import { orFailedRecord, ownersPlace, recordRun, type RunAttempt } from './recordRun.ts';
import { showProgress } from './showProgress.ts';
import type { RunPlace, TrainerKind, TrainerWorld } from './trainerKind.ts';

/** What `fit` of a trainer takes. */
export interface FitOptions {
  /** Calls the run off: it ends after the round in flight and keeps a checkpoint; `fit` rejects with AbortedError. */
  readonly signal?: AbortSignal;
}

interface TrainerSettings extends RunSettings {
  readonly options: {
    readonly scalingConfig?: ScalingConfig | undefined;
    readonly runConfig?: RunConfig | undefined;
    readonly resumeFromCheckpoint?: string | { readonly path: string } | undefined;
  };
}

/**
 * Without a signal of the caller's, Ctrl-C calls the run off.
 * @throws the TabgradError that the run failed with; result.json then has it, with status "failed" or "stopped".
 * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor
 * is to overwrite.
 */
export function fitRun<Opened, Plan, R>(
  kind: TrainerKind<Opened, Plan, R>,
  settings: TrainerSettings,
  world: TrainerWorld,
  { signal }: FitOptions,
): Promise<R> {
  const { options } = settings;
  return withInterrupt(signal, async (until) => {
    // How often an owner's loop reports nobody knows.
    const total = kind.recording.trainer === 'loop' ? 0 : kind.facts.totalRounds;
    const shown = showProgress(options.runConfig, total, () => world.now(), until);
    try {
      const told = { ...settings, options: { ...options, runConfig: shown.runConfig } };
      return await runToEnd(kind, told, world, until);
    } finally {
      shown.close();
    }
  });
}

async function runToEnd<Opened, Plan, R>(
  kind: TrainerKind<Opened, Plan, R>,
  settings: TrainerSettings,
  world: TrainerWorld,
  signal: AbortSignal,
): Promise<R> {
  const { name, overwrite, checkpoints, options } = settings;
  const now = (): number => world.now();
  const startedAt = now();
  const start = { overwrite, resumedFrom: options.resumeFromCheckpoint };
  const attempt: RunAttempt = {
    folder: await RunFolder.open(settings.folder, checkpoints, start),
    facts: { runId: randomUUID(), name, ...kind.facts },
    clock: { now, startedAt },
    broken: new AbortController(),
  };
  const { folder, facts, clock } = attempt;
  const owner = ownersPlace(options.runConfig, attempt);
  let cluster: RunCluster | undefined;
  try {
    return await orFailedRecord(attempt, async () => {
      const opened = await kind.open(owner.warn);
      const taken = (cluster = await world.openCluster(settings, signal));
      const place: RunPlace = { ...owner, cluster, folder, name, checkpoints, signal, now };
      const { spec, shards, summaries, plan, facts: prepared } = await kind.prepare(opened, place);
      clock.preparedAt = now();
      Object.assign(facts, prepared);
      const run = kind.recording.record(plan, place);
      const { shouldStop } = run;
      const request: RunRequest = {
        runId: facts.runId,
        name,
        spec,
        shards,
        workers: demandOf(settings, options.scalingConfig),
        maxFailures: settings.maxFailures,
        ...(settings.describesData && { datasets: summaries }),
        ...(shouldStop && { shouldStop }),
      };
      // Such a run goes on without this process.
      if (cluster.findRun) {
        const { trainer } = kind.recording;
        const { url } = cluster;
        const { runId, params, totalRounds, rows, warnings } = facts;
        await folder.writeRunFile({
          trainer,
          url,
          facts: { runId, name, params, totalRounds, rows, warnings },
          checkpoints,
          plan: kind.recording.remember(plan),
        });
      }
      return recordRun(() => taken.startRun(request), run, attempt, place);
    });
  } finally {
    folder.close();
    await cluster?.close();
  }
}
