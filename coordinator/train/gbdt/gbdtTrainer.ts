// Ray Train's trainer for gradient-boosted trees: datasets and XGBoost's parameters in, a model and its record out.

import { randomUUID } from 'node:crypto';
import { modelRounds, type GbdtModel } from '../../../shared/gbdt/model/model.ts';
import type { ProgressEvent } from '../../progress/progressEvent.ts';
import { withInterrupt } from '../../progress/withInterrupt.ts';
import { Checkpoint } from '../../checkpoint/checkpoint.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { openCluster } from '../../cluster/openCluster.ts';
import { prepareTraining, type PreparedTraining, type PrepareInput } from './prepareTraining.ts';
import { RunFolder } from '../record/runFolder.ts';
import { failedRecord, type RunClock, type RunFacts } from './resultRecord.ts';
import type { Metrics, Result } from '../result.ts';
import { startingModel } from './startingModel.ts';
import { notifyOwner, warnOwner } from '../../options/tellOwner.ts';
import { TooManyWorkersError } from '../trainErrors.ts';
import { TrainArgumentError } from '../../options/trainArgumentError.ts';
import { trainPrepared } from './trainPrepared.ts';
import { resolveOptions, type GBDTTrainerOptions, type TrainerSettings } from './trainerOptions.ts';

export interface FitOptions {
  /** Calls the run off: it ends after the round in flight and keeps a checkpoint; `fit` rejects with AbortedError. */
  readonly signal?: AbortSignal;
}

/** What a trainer needs of the world; tests replace it. */
export interface TrainerWorld {
  openCluster(settings: TrainerSettings, signal: AbortSignal): Promise<Cluster>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Prepares the data; a tuning experiment shares what its trials have in common. */
  prepare?(input: PrepareInput): Promise<PreparedTraining>;
  /** Asked once for every round, in order, counted from 0 in this fit: true makes it the last one. */
  isEnough?(round: number, metrics: Metrics): boolean;
}

const realWorld: TrainerWorld = { openCluster, now: () => performance.now() };

export class GBDTTrainer {
  readonly #settings: TrainerSettings;
  readonly #world: TrainerWorld;

  /** @throws TrainArgumentError, UnknownParameterError, ParameterRangeError: all that needs no data is checked here. */
  constructor(options: GBDTTrainerOptions, world: TrainerWorld = realWorld) {
    this.#settings = resolveOptions(options);
    this.#world = world;
  }

  /** What it was made with. */
  get options(): GBDTTrainerOptions {
    return this.#settings.options;
  }

  /**
   * Prepares the data, trains, and leaves the run's folder. Without a signal of the caller's, Ctrl-C calls the run off.
   * @throws the TabgradError that the run failed with; result.json then has it, with status "failed" or "stopped".
   * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor
   * is to overwrite.
   */
  async fit({ signal }: FitOptions = {}): Promise<Result> {
    return withInterrupt(signal, (until) => this.#run(until));
  }

  async #run(signal: AbortSignal): Promise<Result> {
    const { folder: path, checkpoints, options, overwrite } = this.#settings;
    const facts: RunFacts = { runId: randomUUID(), settings: this.#settings };
    const clock: RunClock = { now: () => this.#world.now(), startedAt: this.#world.now() };
    const start = { overwrite, resumedFrom: options.resumeFromCheckpoint };
    const folder = await RunFolder.open(path, checkpoints, start);
    let cluster: Cluster | undefined;
    try {
      const continued = loadContinued(options);
      const rounds = this.#roundsToTrain(continued);
      cluster = await this.#world.openCluster(this.#settings, signal);
      const prepared = await this.#prepare(cluster, rounds, continued, signal);
      clock.preparedAt = clock.now();
      facts.prepared = prepared;
      return await trainPrepared({
        cluster,
        prepared,
        continued,
        folder,
        facts,
        clock,
        signal,
        notify: (event) => this.#notify(event),
        isEnough: (round, metrics) => this.#world.isEnough?.(round, metrics) === true,
      });
    } catch (error) {
      await folder.writeResult(failedRecord(error, folder, facts, clock)).catch(() => undefined);
      throw error;
    } finally {
      await cluster?.close();
    }
  }

  #roundsToTrain(continued: GbdtModel | undefined): number {
    const { numBoostRound, options } = this.#settings;
    if (!continued || options.resumeFromCheckpoint === undefined) return numBoostRound;
    const done = modelRounds(continued);
    if (done < numBoostRound) return numBoostRound - done;
    throw new TrainArgumentError(
      `The checkpoint has ${done} rounds already and numBoostRound is ${numBoostRound}: nothing is left to train.`,
      { field: 'numBoostRound' },
    );
  }

  async #prepare(
    cluster: Cluster,
    rounds: number,
    continued: GbdtModel | undefined,
    signal: AbortSignal,
  ): Promise<PreparedTraining> {
    const { options, params, workers, folder } = this.#settings;
    let rowsDone = 0;
    const prepare = (input: PrepareInput): Promise<PreparedTraining> =>
      this.#world.prepare?.(input) ?? prepareTraining(input);
    const prepared = await prepare({
      ...options,
      params,
      numBoostRound: rounds,
      blobs: cluster.blobs,
      tempFolder: folder,
      startFrom: continued && startingModel(continued),
      onProgress: (rows) => this.#notify({ type: 'preparing', rows: (rowsDone += rows) }),
      signal,
    });
    const rows = prepared.rows['train'] ?? 0;
    if (workers.min > rows) {
      throw new TooManyWorkersError(
        `scalingConfig.numWorkers asks for ${workers.min} workers, but the training set has ${rows} rows.`,
        { field: 'scalingConfig.numWorkers' },
      );
    }
    for (const warning of prepared.warnings) warnOwner(this.#settings.options.runConfig, warning);
    return prepared;
  }

  #notify(event: ProgressEvent): void {
    notifyOwner(this.#settings.options.runConfig, event);
  }
}

function loadContinued({ xgbModel, resumeFromCheckpoint }: GBDTTrainerOptions): GbdtModel | undefined {
  const from = resumeFromCheckpoint ?? xgbModel;
  if (from === undefined) return undefined;
  return (typeof from === 'string' ? new Checkpoint(from) : from).loadModel();
}
