// What boosted trees do of a run: a model to go on from, binned rows, and a checkpoint whose rounds come with their trees.

import { bestIteration, modelRounds, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { Result } from '../result.ts';
import { TooManyWorkersError } from '../trainErrors.ts';
import type { RunPlace, TrainerKind } from '../run/trainerKind.ts';
import { prepareTraining, type PreparedTraining, type PrepareInput } from './prepareTraining.ts';
import { scoreMetric } from './scoreWatch.ts';
import { startingModel } from './startingModel.ts';
import type { GBDTTrainerOptions, TrainerSettings } from './trainerOptions.ts';
import type { TreePlan } from './treePlan.ts';
import { treeRecording, type JudgingWorld } from './treeRecording.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';

/** What a trainer of trees needs of the world; tests replace it. */
export interface TreeWorld extends JudgingWorld {
  /** Prepares the data; a tuning experiment shares what its trials have in common. */
  prepare?(input: PrepareInput): Promise<PreparedTraining>;
}

interface Start {
  /** The model that the run goes on from. */
  readonly continued: GbdtModel | undefined;
  /** To train in this run. */
  readonly rounds: number;
}

export function treeRun(settings: TrainerSettings, world: TreeWorld): TrainerKind<Start, TreePlan, Result> {
  const { params, numBoostRound, options, trainLoop } = settings;
  return {
    facts: { params, totalRounds: numBoostRound },
    open() {
      const continued = loadContinued(options);
      return Promise.resolve({ continued, rounds: roundsToTrain(settings, continued) });
    },
    async prepare(start, place) {
      const prepared = await prepare(settings, world, start, place);
      const { spec, shards, summaries, rows, warnings } = prepared;
      return {
        spec: trainLoop ? { ...spec, trainLoop } : spec,
        shards,
        summaries,
        plan: planOf(settings, start, prepared),
        facts: { totalRounds: numBoostRound, rows, warnings },
      };
    },
    recording: treeRecording(world),
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

function planOf(
  { options, params }: TrainerSettings,
  { continued }: Start,
  { spec, features }: PreparedTraining,
): TreePlan {
  const { earlyStoppingRounds } = options;
  const earlier = earlierBest(options, continued, spec);
  return {
    params,
    features: features.map(({ name, cuts, categories }) =>
      categories ? { name, cuts, categories } : { name, cuts },
    ),
    scored: { evaluationSets: spec.evaluationSets, metrics: spec.metrics },
    ...(continued && { continued }),
    ...(earlyStoppingRounds !== undefined && { earlyStoppingRounds }),
    ...(earlier && { earlier }),
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
  spec: TrainSpec,
): TreePlan['earlier'] {
  if (!continued || earlyStoppingRounds === undefined || resumeFromCheckpoint === undefined) return undefined;
  const best = bestIteration(continued);
  if (best?.metric !== scoreMetric(spec)) return undefined;
  return { round: best.round - modelRounds(continued), score: best.score };
}
