// Trains neural nets: datasets and a tf.LayersModel in, a trained one and its record out.

import { attachRun, type AttachOptions } from '../run/attachRun.ts';
import { realWorld } from '../run/trainerKind.ts';
import { fitRun, type FitOptions } from '../run/trainerRun.ts';
import { netRecording, type NeuralResult } from './netRecording.ts';
import { netRun, type NeuralWorld } from './netRun.ts';
import { resolveNeural, type NeuralSettings, type NeuralTrainerOptions } from './neuralOptions.ts';

/** Trains a tf.LayersModel by gradient descent on workers that add up their gradients: the same steps for any number of workers. */
export class NeuralTrainer {
  readonly #settings: NeuralSettings;
  readonly #world: NeuralWorld;

  /** @throws TrainArgumentError: all that needs neither model nor data is checked here. */
  constructor(options: NeuralTrainerOptions, world: NeuralWorld = realWorld) {
    this.#settings = resolveNeural(options);
    this.#world = world;
  }

  /** What it was made with. */
  get options(): NeuralTrainerOptions {
    return this.#settings.options;
  }

  /**
   * Prepares the data, trains, and leaves the run's folder. Without a signal of the caller's, Ctrl-C calls the run off.
   * @throws the TabgradError that the run failed with; result.json then has it, with status "failed" or "stopped".
   * RunFolderTakenError, before anything is started, where the folder holds a run that this one neither goes on from nor
   * is to overwrite.
   */
  fit(options: FitOptions = {}): Promise<NeuralResult> {
    return fitRun(netRun(this.#settings, this.#world), this.#settings, this.#world, options);
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
    world: NeuralWorld = realWorld,
  ): Promise<NeuralResult> {
    return attachRun(netRecording(world), folder, options, world);
  }
}
