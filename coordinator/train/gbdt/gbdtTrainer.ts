// Ray Train's trainer for gradient-boosted trees: datasets and XGBoost's parameters in, a model and its record out.

import type { Result } from '../result.ts';
import { attachRun, type AttachOptions } from '../run/attachRun.ts';
import { realWorld } from '../run/trainerKind.ts';
import { fitRun, type FitOptions } from '../run/trainerRun.ts';
import { treeRecording } from './treeRecording.ts';
import { treeRun, type TreeWorld } from './treeRun.ts';
import { resolveOptions, type GBDTTrainerOptions, type TrainerSettings } from './trainerOptions.ts';

/** Trains gradient-boosted trees under XGBoost's parameters: the same model, byte for byte, for any number of workers. */
export class GBDTTrainer {
  readonly #settings: TrainerSettings;
  readonly #world: TreeWorld;

  /** @throws TrainArgumentError, UnknownParameterError, ParameterRangeError: all that needs no data is checked here. */
  constructor(options: GBDTTrainerOptions, world: TreeWorld = realWorld) {
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
  fit(options: FitOptions = {}): Promise<Result> {
    return fitRun(treeRun(this.#settings, this.#world), this.#settings, this.#world, options);
  }

  /**
   * Follows a run that a `fit` asked for at a coordinator elsewhere before its process ended, from the first event to the last,
   * and writes the same record and model. Rounds beyond the one that early stopping ends with are left out. Times count from
   * this call.
   * @param folder the run's: <storagePath>/<name>, with its run.json.
   * @throws RunNotAttachedError where there is no such run; RUN_UNKNOWN where the coordinator does not know it any more. Else
   * what `fit` throws.
   */
  static attach(folder: string, options: AttachOptions = {}, world: TreeWorld = realWorld): Promise<Result> {
    return attachRun(treeRecording(world), folder, options, world);
  }
}
