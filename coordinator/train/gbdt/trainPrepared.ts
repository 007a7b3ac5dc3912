// From prepared data to a result: asks the cluster for a run, follows it to its end, and writes down what came of it.

import { AbortedError } from '../../../kernels/errors.ts';
import { bestIteration, modelRounds, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import type { RunRequest } from '../../core/run/runRequest.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { demandOf, followRun } from '../followRun.ts';
import type { PreparedTraining } from './prepareTraining.ts';
import { resultRecord, type RunClock, type RunFacts } from './resultRecord.ts';
import type { RunFolder } from '../record/runFolder.ts';
import { RunRecorder } from './runRecorder.ts';
import type { Metrics, Result, ResultRecord } from '../result.ts';
import { ScoreWatch, scoreMetric } from './scoreWatch.ts';

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
  const watch = new ScoreWatch(
    prepared.spec,
    settings.options.earlyStoppingRounds,
    run.isEnough,
    earlierBest(run),
  );
  const broken = new AbortController();
  const recorder = recorderOf(run, watch, (error) => broken.abort(error));
  facts.recorder = recorder;
  facts.watch = watch;
  const { status } = await followRun({
    cluster,
    request: requestOf(facts, prepared, watch),
    recorder,
    broken,
    signal,
    notify,
    isEnough: () => (recorder.stopped ? 'early stopping' : undefined),
  });
  const isWhole = status === 'finished' || recorder.stopped;
  const record = resultRecord(isWhole ? 'finished' : 'stopped', folder, facts, clock);
  const result = toResult(record, folder, recorder);
  await folder.writeResult(record);
  return result;
}

/** The best round before a run was cut short, if it was of the same metric. */
function earlierBest({
  continued,
  facts,
  prepared,
}: PreparedRun): { round: number; score: number } | undefined {
  const { earlyStoppingRounds, resumeFromCheckpoint } = facts.settings.options;
  if (!continued || earlyStoppingRounds === undefined || resumeFromCheckpoint === undefined) return undefined;
  const best = bestIteration(continued);
  if (best?.metric !== scoreMetric(prepared.spec)) return undefined;
  return { round: best.round - modelRounds(continued), score: best.score };
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
  return {
    runId,
    name: settings.name,
    spec: settings.trainLoop ? { ...prepared.spec, trainLoop: settings.trainLoop } : prepared.spec,
    shards: prepared.shards,
    workers: demandOf(settings, settings.options.scalingConfig),
    maxFailures: settings.maxFailures,
    shouldStop: (round) => watch.observe(round),
  };
}

function toResult(record: ResultRecord, folder: RunFolder, recorder: RunRecorder): Result {
  const checkpoints = folder.checkpoints();
  const checkpoint = checkpoints.at(-1);
  if (!checkpoint) throw new AbortedError(`Run "${record.name}" was stopped before its first round.`);
  const { metricsTable } = recorder;
  return { ...record, path: folder.path, checkpoint, checkpoints, metricsTable };
}
