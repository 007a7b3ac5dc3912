// One run of any trainer: opens its folder, prepares the data, asks a cluster for the run, follows it to its end, and writes
// down what came of it. What differs by kind is a TrainerKind.

import { randomUUID } from 'node:crypto';
import type { RunSpec } from '../../shared/run/runSpec.ts';
import type { RunCluster } from '../cluster/cluster.ts';
import { openRunCluster } from '../cluster/openCluster.ts';
import type { RunEvent, RunRequest, Shard } from '../core/run/runRequest.ts';
import type { RunConfig, RunSettings, ScalingConfig } from '../options/runOptions.ts';
import { notifyOwner, warnOwner } from '../options/tellOwner.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import { withInterrupt } from '../progress/withInterrupt.ts';
import { demandOf, followRun, type TrainingRecorder } from './followRun.ts';
import { failedRecord, resultRecord, type RunClock, type RunFacts } from './record/resultRecord.ts';
import { RunFolder } from './record/runFolder.ts';
import type { ResultRecord } from './result.ts';

/** What `fit` of a trainer takes. */
export interface FitOptions {
  /** Calls the run off: it ends after the round in flight and keeps a checkpoint; `fit` rejects with AbortedError. */
  readonly signal?: AbortSignal;
}

/** What a trainer needs of the world; tests replace it. */
export interface TrainerWorld {
  openCluster(wish: Parameters<typeof openRunCluster>[0], signal: AbortSignal): Promise<RunCluster>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

export const realWorld: TrainerWorld = { openCluster: openRunCluster, now: () => performance.now() };

/** Where a run happens, for the part that its kind does. */
export interface RunPlace {
  readonly cluster: RunCluster;
  readonly folder: RunFolder;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly notify: (event: ProgressEvent) => void;
  readonly warn: (message: string) => void;
  /** Ends the run: a write or a callback failed. */
  readonly fail: (error: unknown) => void;
}

/** A run that is ready to be asked for. */
export interface PreparedRun<R> {
  readonly spec: RunSpec;
  readonly shards: readonly Shard[];
  readonly shouldStop?: RunRequest['shouldStop'];
  readonly recorder: TrainingRecorder;
  readonly facts: Pick<RunFacts, 'best' | 'rows' | 'totalRounds' | 'warnings'>;
  /** Asked after every event: the reason why the run should end now, if it should. */
  readonly isEnough?: (event: RunEvent) => string | undefined;
  /** Whether a run that was stopped has all that its owner wanted. */
  readonly isWhole?: () => boolean;
  /** What the fit returns. @throws AbortedError where there is nothing to return. */
  readonly result: (record: ResultRecord) => R;
}

/** What a kind of trainer does of a run. */
export interface TrainerKind<Opened, R> {
  /** Parameters as result.json tells them, and how many rounds were asked for. */
  readonly facts: Pick<RunFacts, 'params' | 'totalRounds'>;
  /** Reads and refuses all that needs no cluster. */
  open(warn: (message: string) => void): Promise<Opened>;
  /** Prepares the data, into the cluster's blobs. */
  prepare(opened: Opened, place: RunPlace): Promise<PreparedRun<R>>;
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
 * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor is
 * to overwrite.
 */
export function fitRun<Opened, R>(
  kind: TrainerKind<Opened, R>,
  settings: TrainerSettings,
  world: TrainerWorld,
  { signal }: FitOptions,
): Promise<R> {
  return withInterrupt(signal, (until) => runToEnd(kind, settings, world, until));
}

async function runToEnd<Opened, R>(
  kind: TrainerKind<Opened, R>,
  settings: TrainerSettings,
  world: TrainerWorld,
  signal: AbortSignal,
): Promise<R> {
  const { name, overwrite, checkpoints, options } = settings;
  const { runConfig } = options;
  const facts: RunFacts = { runId: randomUUID(), name, ...kind.facts };
  const now = (): number => world.now();
  const clock: RunClock = { now, startedAt: now() };
  const start = { overwrite, resumedFrom: options.resumeFromCheckpoint };
  const folder = await RunFolder.open(settings.folder, checkpoints, start);
  const broken = new AbortController();
  const notify = (event: ProgressEvent): void => notifyOwner(runConfig, event);
  const warn = (message: string): void => warnOwner(runConfig, message);
  let cluster: RunCluster | undefined;
  try {
    const opened = await kind.open(warn);
    cluster = await world.openCluster(settings, signal);
    const fail = (error: unknown): void => broken.abort(error);
    const prepared = await kind.prepare(opened, { cluster, folder, signal, now, notify, warn, fail });
    clock.preparedAt = now();
    const { recorder, spec, shards, shouldStop, isEnough } = prepared;
    Object.assign(facts, prepared.facts, { progress: recorder.progress, rounds: () => recorder.rounds });
    const request: RunRequest = {
      runId: facts.runId,
      name,
      spec,
      shards,
      workers: demandOf(settings, options.scalingConfig),
      maxFailures: settings.maxFailures,
      ...(shouldStop && { shouldStop }),
    };
    const followed = { cluster, request, recorder, broken, signal, notify };
    const { status } = await followRun(isEnough ? { ...followed, isEnough } : followed);
    const isWhole = status === 'finished' || prepared.isWhole?.() === true;
    const record = resultRecord(isWhole ? 'finished' : 'stopped', folder, facts, clock);
    const result = prepared.result(record);
    await folder.writeResult(record);
    return result;
  } catch (error) {
    await folder.writeResult(failedRecord(error, folder, facts, clock)).catch(() => undefined);
    throw error;
  } finally {
    await cluster?.close();
  }
}
