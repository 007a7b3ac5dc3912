// What boosted trees do of a run: a model to go on from, binned rows, and a checkpoint whose rounds come with their trees.

import { AbortedError } from '../../../kernels/errors.ts';
import { bestIteration, modelRounds, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';
import type { BestFacts } from '../record/resultRecord.ts';
import { RunProgress } from '../record/runProgress.ts';
import type { Metrics, Result, ResultRecord } from '../result.ts';
import { TooManyWorkersError } from '../trainErrors.ts';
import type { PreparedRun, RunPlace, TrainerKind, TrainerWorld } from '../trainerRun.ts';
import { prepareTraining, type PreparedTraining, type PrepareInput } from './prepareTraining.ts';
import { ScoreWatch, scoreMetric } from './scoreWatch.ts';
import { startingModel } from './startingModel.ts';
import type { GBDTTrainerOptions, TrainerSettings } from './trainerOptions.ts';
import { TreeRecorder } from './treeRecorder.ts';

/** What a trainer of trees needs of the world; tests replace it. */
export interface TreeWorld extends TrainerWorld {
  /** Prepares the data; a tuning experiment shares what its trials have in common. */
  prepare?(input: PrepareInput): Promise<PreparedTraining>;
  /** Asked once for every round, in order, counted from 0 in this fit: true makes it the last one. */
  isEnough?(round: number, metrics: Metrics): boolean;
}

interface Start {
  /** The model that the run goes on from. */
  readonly continued: GbdtModel | undefined;
  /** To train in this run. */
  readonly rounds: number;
}

export function treeRun(settings: TrainerSettings, world: TreeWorld): TrainerKind<Start, Result> {
  const { params, numBoostRound, options } = settings;
  return {
    facts: { params, totalRounds: numBoostRound },
    open() {
      const continued = loadContinued(options);
      return Promise.resolve({ continued, rounds: roundsToTrain(settings, continued) });
    },
    async prepare(start, place) {
      const prepared = await prepare(settings, world, start, place);
      return training(settings, world, start, prepared, place);
    },
  };
}

async function prepare(
  { options, params, workers }: TrainerSettings,
  world: TreeWorld,
  { continued, rounds }: Start,
  { cluster, folder, signal, notify, warn }: RunPlace,
): Promise<PreparedTraining> {
  let rowsDone = 0;
  const prepared = await (world.prepare?.bind(world) ?? prepareTraining)({
    ...options,
    params,
    numBoostRound: rounds,
    blobs: cluster.blobs,
    tempFolder: folder.path,
    startFrom: continued && startingModel(continued),
    onProgress: (rows) => notify({ type: 'preparing', rows: (rowsDone += rows) }),
    signal,
  });
  const rows = prepared.rows['train'] ?? 0;
  if (workers.min > rows) {
    throw new TooManyWorkersError(
      `scalingConfig.numWorkers asks for ${workers.min} workers, but the training set has ${rows} rows.`,
      { field: 'scalingConfig.numWorkers' },
    );
  }
  for (const warning of prepared.warnings) warn(warning);
  return prepared;
}

function training(
  { options, params, numBoostRound, trainLoop, name, checkpoints }: TrainerSettings,
  world: TreeWorld,
  { continued }: Start,
  prepared: PreparedTraining,
  { folder, now, fail }: RunPlace,
): PreparedRun<Result> {
  const { earlyStoppingRounds } = options;
  const watch = new ScoreWatch(
    prepared.spec,
    earlyStoppingRounds,
    (round, metrics) => world.isEnough?.(round, metrics) === true,
    earlierBest(options, continued, prepared),
  );
  const features = prepared.features.map(({ name: feature, cuts, categories }) =>
    categories ? { name: feature, cuts, categories } : { name: feature, cuts },
  );
  const recorder = new TreeRecorder({
    progress: new RunProgress(folder, now, fail),
    watch,
    model: continued ? { params, features, continued } : { params, features },
    tellsBest: earlyStoppingRounds !== undefined,
    checkpointFrequency: checkpoints.checkpointFrequency,
    onCheckpoint: (checkpoint, metrics) => {
      for (const callback of options.runConfig?.callbacks ?? []) callback.onCheckpoint?.(checkpoint, metrics);
    },
  });
  return {
    spec: trainLoop ? { ...prepared.spec, trainLoop } : prepared.spec,
    shards: prepared.shards,
    shouldStop: (round) => watch.observe(round),
    recorder,
    facts: {
      totalRounds: numBoostRound,
      rows: prepared.rows,
      warnings: prepared.warnings,
      best: () => bestFacts(watch, recorder.earlierRounds),
    },
    isEnough: () => (recorder.stopped ? 'early stopping' : undefined),
    isWhole: () => recorder.stopped,
    result(record: ResultRecord): Result {
      const saved = folder.savedPaths().map((path) => new Checkpoint(path));
      const checkpoint = saved.at(-1);
      if (!checkpoint) throw new AbortedError(`Run "${name}" was stopped before its first round.`);
      const { metricsTable } = recorder.progress;
      return { ...record, path: folder.path, checkpoint, checkpoints: saved, metricsTable };
    },
  };
}

/** @throws CheckpointError, ModelFormatError, ModelUnsupportedError */
function loadContinued({ xgbModel, resumeFromCheckpoint }: GBDTTrainerOptions): GbdtModel | undefined {
  const from = resumeFromCheckpoint ?? xgbModel;
  if (from === undefined) return undefined;
  return (typeof from === 'string' ? new Checkpoint(from) : from).loadModel();
}

/** @throws TrainArgumentError when the checkpoint has all rounds. */
function roundsToTrain(
  { numBoostRound, options }: TrainerSettings,
  continued: GbdtModel | undefined,
): number {
  if (!continued || options.resumeFromCheckpoint === undefined) return numBoostRound;
  const done = modelRounds(continued);
  if (done < numBoostRound) return numBoostRound - done;
  throw new TrainArgumentError(
    `The checkpoint has ${done} rounds already and numBoostRound is ${numBoostRound}: nothing is left to train.`,
    { field: 'numBoostRound' },
  );
}

/** The best round before a run was cut short, if it was of the same metric. */
function earlierBest(
  { earlyStoppingRounds, resumeFromCheckpoint }: GBDTTrainerOptions,
  continued: GbdtModel | undefined,
  { spec }: PreparedTraining,
): { round: number; score: number } | undefined {
  if (!continued || earlyStoppingRounds === undefined || resumeFromCheckpoint === undefined) return undefined;
  const best = bestIteration(continued);
  if (best?.metric !== scoreMetric(spec)) return undefined;
  return { round: best.round - modelRounds(continued), score: best.score };
}

function bestFacts({ best, metric }: ScoreWatch, earlierRounds: number): BestFacts {
  if (!best) return {};
  const { metrics, round, score } = best;
  return {
    bestMetrics: metrics,
    bestIteration: earlierRounds + round,
    bestScore: score,
    scoreMetric: metric,
  };
}
