// Ray Train's DataParallelTrainer: an owner's own loop, run by every worker of a group with its share of the data.

import { attachRun, type AttachOptions } from '../run/attachRun.ts';
import { realWorld, type TrainerWorld } from '../run/trainerKind.ts';
import { fitRun, type FitOptions } from '../run/trainerRun.ts';
import { resolveLoop, type DataParallelTrainerOptions, type LoopSettings } from './loopOptions.ts';
import { loopRecording, type DataParallelResult } from './loopRecording.ts';
import { loopRun } from './loopRun.ts';

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

  /**
   * Follows a run that a `fit` asked for at a coordinator elsewhere before its process ended, from the first event to the last,
   * and writes the same record and checkpoints; states that the coordinator has no more are left out. Times count from this
   * call.
   * @param folder the run's: <storagePath>/<name>, with its run.json.
   * @throws RunNotAttachedError where there is no such run; RUN_UNKNOWN where the coordinator does not know it any more. Else
   * what `fit` throws.
   */
  static attach(
    folder: string,
    options: AttachOptions = {},
    world: TrainerWorld = realWorld,
  ): Promise<DataParallelResult> {
    return attachRun(loopRecording, folder, options, world);
  }
}
