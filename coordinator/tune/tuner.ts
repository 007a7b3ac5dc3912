// Ray Tune's Tuner: a trainable and a space of settings in, a result a trial out. Trials run side by side on groups of
// one pool; the record on disk is enough to go on after anything.

import { resolve } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { writeToStderr } from '../log/textOutput.ts';
import { withInterrupt } from '../progress/withInterrupt.ts';
import { Experiment } from './experiment/experiment.ts';
import { ExperimentFolder } from './experiment/experimentFolder.ts';
import { lockExperiment } from './experiment/lockExperiment.ts';
import { restoreExperiment, type RestoreOptions } from './experiment/restoreExperiment.ts';
import type { Trial } from './trial/trial.ts';
import { ResultGrid } from './resultGrid.ts';
import { createTrialRunner, mergeConfig } from './run/createTrialRunner.ts';
import { isTunableTrainer, trialTrainerOf, type TunedOptions } from './run/trialTrainers.ts';
import { configOf } from './space/searchSpace.ts';
import { ExperimentRecorder, type ExperimentEnd } from './record/experimentRecorder.ts';
import { TuneArgumentError } from './space/tuneErrors.ts';
import { tableCallback } from './progress/tuneTable.ts';
import { resolveTuneOptions, type TunerOptions, type TuneSettings } from './run/tuneOptions.ts';
import { AbortedError, TabgradError } from '../../kernels/errors.ts';
import { ParameterRangeError } from '../../shared/gbdt/errors/gbdtErrors.ts';

/** What `Tuner.fit` takes. */
export interface TuneFitOptions {
  /** Calls the experiment off: trials end with the iteration in flight, and `Tuner.restore` goes on with them. */
  readonly signal?: AbortSignal;
}

/** What an earlier process left. */
interface Earlier {
  readonly experimentId: string | undefined;
  readonly trials: Trial[];
  readonly isClosed: boolean;
}

/** Tries settings out of a search space, several trials at a time, and finds the best. */
export class Tuner {
  readonly #settings: TuneSettings;
  #earlier: Earlier | undefined;

  /** @throws TuneArgumentError, SearchSpaceError; TrainArgumentError, UnknownParameterError for a trainer's options. */
  constructor(options: TunerOptions) {
    this.#settings = resolveTuneOptions(options);
    checkTrainer(this.#settings);
  }

  /**
   * Opens an experiment's folder, wherever it lies now; `fit` then goes on with it: finished trials are not run again,
   * unfinished ones go on from their last checkpoint or begin anew.
   * @throws ExperimentError
   */
  static async restore(path: string, options: RestoreOptions): Promise<Tuner> {
    const folder = resolve(path);
    const { options: restored, ...earlier } = await restoreExperiment(folder, options);
    // Another process may be at work on it: better told now than by fit.
    (await lockExperiment(folder))();
    const tuner = new Tuner(restored);
    tuner.#earlier = earlier;
    return tuner;
  }

  /**
   * Runs the trials. Without a signal of the caller's, Ctrl-C calls the experiment off. Trials that fail do not make it
   * throw: they are in the grid, under `errors`.
   * @throws AbortedError, TuneMetricError, ExperimentError, ResultWriteError
   */
  async fit({ signal }: TuneFitOptions = {}): Promise<ResultGrid> {
    return withInterrupt(signal, async (until) => {
      const unlock = await lockExperiment(this.#settings.folder);
      try {
        return await this.#run(until);
      } finally {
        unlock();
      }
    });
  }

  async #run(signal: AbortSignal): Promise<ResultGrid> {
    const table = tableCallback(this.#settings, signal);
    const known = {
      ...this.#settings,
      experimentId: this.#earlier?.experimentId ?? this.#settings.experimentId,
    };
    const trials = this.#earlier?.trials ?? [];
    // By the caller, or by who asked for it at the coordinator.
    const stopped = new AbortController();
    const onAbort = (): void => stopped.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const recorder = new ExperimentRecorder({
      settings: known,
      trials,
      clock: systemClock,
      date: Date.now,
      onWishes: ({ stop, stopTrials }) => {
        if (stop) stopped.abort('a stop was asked for at the coordinator');
        for (const number of stopTrials) experiment.stopTrial(number);
      },
    });
    const callbacks = [...known.callbacks, ...table.callbacks, recorder.callback];
    const settings = { ...known, callbacks };
    const {
      folder: path,
      space,
      metric,
      mode,
      searcher,
      numSamples,
      trainable,
      maxConcurrentTrials,
    } = settings;
    if (!this.#earlier) await new ExperimentFolder(path).create(this.#settings.overwrite);
    // What is shared by the trials ends after the last of them has.
    const closing = new AbortController();
    const runner = createTrialRunner({
      trainable,
      concurrency: maxConcurrentTrials,
      trials: searcher.trials(space, numSamples),
      signal: closing.signal,
      onLine: settings.verbose === 2 ? writeToStderr : undefined,
      onRecord: (record) => recorder.writeTo(record),
    });
    const experiment = new Experiment({
      settings,
      openFolder: (onFailure) => new ExperimentFolder(path, onFailure),
      runner,
      trials,
      isClosed: this.#earlier?.isClosed ?? false,
      now: () => performance.now(),
    });
    let end: ExperimentEnd = { status: 'finished' };
    try {
      await experiment.run(stopped.signal);
    } catch (error) {
      end = endBy(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
      const lost = await recorder.close(end);
      if (lost !== undefined && settings.verbose > 0) {
        writeToStderr(`warning: the coordinator's record of this experiment is behind: ${lost.message}`);
      }
      table.close();
      closing.abort();
      await runner.close();
      // A second fit goes on with what the first one left.
      const { experimentId } = settings;
      this.#earlier = { experimentId, trials, isClosed: this.#earlier?.isClosed ?? false };
    }
    return new ResultGrid({ path, space, trials: experiment.trials, metric, mode });
  }
}

function endBy(error: unknown): ExperimentEnd {
  if (error instanceof AbortedError) return { status: 'stopped' };
  return { status: 'failed', ...(error instanceof TabgradError && { errorCode: error.code }) };
}

/** Options that no trial can have are told before anything is started; values that only some trials have are theirs. */
function checkTrainer({ trainable, space, searcher, seed, scheduler }: TuneSettings): void {
  if (!isTunableTrainer(trainable) || space.dimensions.some(({ form }) => form.kind === 'sampleFrom')) return;
  const { check, boundOptions } = trialTrainerOf(trainable)!;
  const bound = scheduler.generations && space.dimensions.find(({ path }) => boundOptions.includes(path));
  if (bound) {
    throw new TuneArgumentError(
      `paramSpace.${bound.path} can not be searched by population based training: a trial could not go on from a checkpoint of another.`,
      { field: bound.path },
    );
  }
  const assignment = searcher.propose({ space, seed, index: 0, observations: [] });
  const options = mergeConfig(trainable.options, configOf(space, assignment)) as TunedOptions;
  try {
    check(options);
  } catch (error) {
    if (!(error instanceof ParameterRangeError)) throw error;
  }
}
