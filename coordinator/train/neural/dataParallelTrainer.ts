// Ray Train's DataParallelTrainer: an owner's own loop, run by every worker of a group with its share of the data.

import { fitRun, realWorld, type FitOptions, type TrainerWorld } from '../trainerRun.ts';
import { resolveLoop, type DataParallelTrainerOptions, type LoopSettings } from './loopOptions.ts';
import { loopRun, type DataParallelResult } from './loopRun.ts';

/** Runs the owner's own training loop on every worker of a group, each with its share of the data. */
export class DataParallelTrainer {
  readonly #settings: LoopSettings;
  readonly #world: TrainerWorld;

  /** @throws TrainArgumentError: all that needs neither data nor bundling is checked here. */
  constructor(options: DataParallelTrainerOptions, world: TrainerWorld = realWorld) {
    this.#settings = resolveLoop(options);
    this.#world = world;
  }

  /** What it was made with. */
  get options(): DataParallelTrainerOptions {
    return this.#settings.options;
  }

  /**
   * Prepares the data, runs the loop, and leaves the run's folder. Without a signal of the caller's, Ctrl-C calls the run
   * off.
   * @throws the TabgradError that the run failed with; result.json then has it, with status "failed" or "stopped".
   * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor
   * is to overwrite.
   */
  fit(options: FitOptions = {}): Promise<DataParallelResult> {
    return fitRun(loopRun(this.#settings), this.#settings, this.#world, options);
  }
}
