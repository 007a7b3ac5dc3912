// From prepared data to a result: asks the cluster for a run, follows it to its end, and writes down what came of it.

import { AbortedError } from '../../shared/errors.ts';
import type { GbdtModel } from '../../shared/gbdt/model/model.ts';
import type { ProgressEvent } from '../progress/progressEvent.ts';
import type { RunRequest } from '../run/runRequest.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { PreparedTraining } from './prepare/prepareTraining.ts';
import { resultRecord, type RunClock, type RunFacts } from './record/resultRecord.ts';
import type { RunFolder } from './record/runFolder.ts';
import { RunRecorder } from './record/runRecorder.ts';
import type { Metrics, Result, ResultRecord } from './result.ts';
import { ScoreWatch } from './scoreWatch.ts';
import type { TrainerSettings } from './trainerOptions.ts';

export interface PreparedRun {
  readonly cluster: Cluster;
  readonly prepared: PreparedTraining;
  /** The model that the run goes on from. */
  readonly continued: GbdtModel | undefined;
  readonly folder: RunFolder;
  /** Receives the recorder and the watch, so that a failure can be recorded with what was reached. */
  readonly facts: RunFacts;
  readonly clock: RunClock;
  readonly signal: AbortSignal;
  readonly notify: (event: ProgressEvent) => void;
  /** Asked once for every round: true makes it the last one. */
  readonly isEnough: (round: number, metrics: Metrics) => boolean;
}

/** @throws AbortedError when called off; what the run failed with; ResultWriteError. */
export async function trainPrepared(run: PreparedRun): Promise<Result> {
  const { cluster, prepared, folder, facts, clock, signal, notify } = run;
  const { settings } = facts;
  const watch = new ScoreWatch(prepared.spec, settings.options.earlyStoppingRounds, run.isEnough);
  const broken = new AbortController();
  const recorder = recorderOf(run, watch, (error) => broken.abort(error));
  facts.recorder = recorder;
  facts.watch = watch;
  if (signal.aborted) throw calledOff(settings);
  const handle = await cluster.startRun(requestOf(facts, prepared, watch));
  const unsubscribe = handle.onEvent((event) => {
    recorder.observe(event);
    try {
      notify(event);
    } catch (error) {
      // The one who tells of events must not suffer for a callback.
      broken.abort(error);
    }
    if (recorder.stopped) handle.stop('early stopping');
  });
  broken.signal.addEventListener('abort', () => handle.stop('its owner can not go on'));
  const onAbort = (): void => handle.stop('called off by its owner');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const outcome = await handle.done.catch(async (error: unknown) => {
      // What was committed before the failure is kept; the failure is what is reported.
      await recorder.settle().catch(() => undefined);
      throw error;
    });
    await recorder.settle(outcome.rounds);
    if (broken.signal.aborted) throw broken.signal.reason;
    if (signal.aborted) throw calledOff(settings);
    const isWhole = outcome.status === 'finished' || recorder.stopped;
    const record = resultRecord(isWhole ? 'finished' : 'stopped', folder, facts, clock);
    const result = toResult(record, folder, recorder);
    await folder.writeResult(record);
    return result;
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
  }
}

function recorderOf(run: PreparedRun, watch: ScoreWatch, onFailure: (error: unknown) => void): RunRecorder {
  const { prepared, continued, folder, facts, clock } = run;
  const { params, checkpoints, options } = facts.settings;
  const features = prepared.features.map(({ name, cuts, categories }) =>
    categories ? { name, cuts, categories } : { name, cuts },
  );
  return new RunRecorder({
    folder,
    watch,
    model: continued ? { params, features, continued } : { params, features },
    tellsBest: options.earlyStoppingRounds !== undefined,
    checkpointFrequency: checkpoints.checkpointFrequency ?? 0,
    onCheckpoint: (checkpoint, metrics) => {
      for (const callback of options.runConfig?.callbacks ?? []) callback.onCheckpoint?.(checkpoint, metrics);
    },
    onFailure,
    now: clock.now,
  });
}

function requestOf({ runId, settings }: RunFacts, prepared: PreparedTraining, watch: ScoreWatch): RunRequest {
  const { runtime, device } = settings.options.scalingConfig ?? {};
  return {
    runId,
    name: settings.name,
    spec: settings.trainLoop ? { ...prepared.spec, trainLoop: settings.trainLoop } : prepared.spec,
    shards: prepared.shards,
    workers: {
      ...settings.workers,
      // A list means a mixed group: any of them will do.
      ...(typeof runtime === 'string' && { runtime }),
      ...(device !== undefined && device !== 'auto' && { device }),
    },
    maxFailures: settings.maxFailures,
    shouldStop: (round) => watch.observe(round),
  };
}

function calledOff({ name }: TrainerSettings): AbortedError {
  return new AbortedError(`Run "${name}" was called off by its owner.`);
}

function toResult(record: ResultRecord, folder: RunFolder, recorder: RunRecorder): Result {
  const checkpoints = folder.checkpoints();
  const checkpoint = checkpoints.at(-1);
  if (!checkpoint) throw new AbortedError(`Run "${record.name}" was stopped before its first round.`);
  const { metricsTable } = recorder;
  return { ...record, path: folder.path, checkpoint, checkpoints, metricsTable };
}
