// An experiment at work: makes trials, starts one after the other as there is room, listens to them, and writes down what
// happens. What to try and what to stop is decided by pure functions; here is the order of events.

import { AbortedError } from '../../../shared/errors.ts';
import type { Metrics } from '../../train/result.ts';
import type { TrialEars, TrialRunner } from '../run/trialRunner.ts';
import { configOf, shownValues } from '../space/searchSpace.ts';
import { CheckpointMissingError, TuneMetricError } from '../tuneErrors.ts';
import type { TuneSettings } from '../tuneOptions.ts';
import type { ExperimentFolder } from './experimentFolder.ts';
import { experimentState } from './experimentState.ts';
import { generationEnd, leftAtEnd, renewedGeneration, takeOver } from './generation.ts';
import { observationsOf, scoreOf } from './score.ts';
import { reachedStop } from './stopRule.ts';
import { dropUnsaved, isOver, newTrial, undoTakeOver, type Trial, type TrialReport } from './trial.ts';
import { asFailure, isHopeless } from './trialFailure.ts';
import type { TuneEvent } from './tuneEvent.ts';

export interface ExperimentParts {
  readonly settings: TuneSettings;
  /** Makes the folder's writer; it is told whom to tell of a failure. */
  readonly openFolder: (onFailure: (error: Error) => void) => ExperimentFolder;
  readonly runner: TrialRunner;
  /** From an earlier process; empty for a new experiment. */
  readonly trials: Trial[];
  readonly schedulerState: unknown;
  /** The experiment came to its end before, perhaps of its time: no new trials are made. */
  readonly isClosed: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** What is known of a trial while it is at work. */
interface LiveTrial {
  readonly calledOff: AbortController;
  startedAt: number | undefined;
  /** Resolves when its last report is on disk. */
  recorded: Promise<void>;
  /** Iteration at which it is to end this piece, and to be gone on with when its generation is renewed. */
  pausedAt?: number;
}

export class Experiment {
  readonly #parts: ExperimentParts;
  readonly #folder: ExperimentFolder;
  readonly #live = new Map<Trial, LiveTrial>();
  /** Metrics that were reported, by any trial. */
  readonly #known = new Set<string>();
  readonly trials: Trial[];
  #schedulerState: unknown;
  #change: () => void = () => undefined;
  #renewing = false;
  /** Why no more is begun. */
  #ending: { readonly error?: Error; readonly reason: string } | undefined;

  constructor(parts: ExperimentParts) {
    this.#parts = parts;
    // Without a record there is nothing to go on with.
    this.#folder = parts.openFolder((error) => this.#end({ reason: 'the record can not be written', error }));
    this.trials = parts.trials;
    this.#schedulerState = parts.schedulerState;
    for (const { reports } of this.trials) for (const report of reports) this.#hear(report.metrics);
  }

  get schedulerState(): unknown {
    return this.#schedulerState;
  }

  /**
   * Runs all trials. @throws AbortedError when called off (what ran can be gone on with); TuneMetricError;
   * ResultWriteError; what a callback of the owner's threw.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, runner } = this.#parts;
    const onAbort = (): void =>
      this.#end({
        reason: 'called off',
        error: new AbortedError(`Experiment "${settings.name}" was called off.`),
      });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const budget = Number.isFinite(settings.timeBudgetMs)
      ? setTimeout(() => this.#end({ reason: 'the time budget is used up' }), settings.timeBudgetMs)
      : undefined;
    try {
      this.#notify({ type: 'started', name: settings.name, trials: this.#planned });
      for (const trial of leftAtEnd(this.trials, settings.scheduler)) this.#setStatus(trial, 'paused');
      this.#renew();
      void this.#save();
      for (;;) {
        const changed = new Promise<void>((resolve) => (this.#change = resolve));
        const next = this.#nextTrial(runner.defaultConcurrency);
        if (next) {
          void this.#runPiece(next);
          continue;
        }
        if (this.#live.size === 0 && !this.#renewing) break;
        await changed;
      }
    } finally {
      clearTimeout(budget);
      signal.removeEventListener('abort', onAbort);
      void this.#save();
      await this.#folder.settle();
    }
    if (this.#ending?.error) throw this.#ending.error;
  }

  get #planned(): number {
    const { searcher, space, numSamples } = this.#parts.settings;
    if (this.#parts.isClosed) return this.trials.length;
    return searcher.trials(space, numSamples);
  }

  /** The trial that may begin now. One at a time waits for workers: who came first gets them first. */
  #nextTrial(defaultConcurrency: number): Trial | undefined {
    const { settings } = this.#parts;
    if (this.#ending || this.#live.size >= (settings.maxConcurrentTrials ?? defaultConcurrency))
      return undefined;
    if ([...this.#live.keys()].some((trial) => trial.status === 'waiting')) return undefined;
    const interrupted = this.trials.find((trial) => trial.status === 'pending');
    if (interrupted) return interrupted;
    if (this.trials.length >= this.#planned) return undefined;
    const { searcher, space, seed } = settings;
    const index = this.trials.length;
    try {
      const observations = observationsOf(this.trials, settings);
      const trial = newTrial(index, searcher.propose({ space, seed, index, observations }));
      this.trials.push(trial);
      return trial;
    } catch (error) {
      // A sampleFrom of the owner's that throws.
      this.#end({
        reason: 'no trial can be made',
        error: asFailure(error, `The search space threw for trial ${index}`),
      });
      return undefined;
    }
  }

  async #runPiece(trial: Trial): Promise<void> {
    const { settings, runner, now } = this.#parts;
    const live: LiveTrial = {
      calledOff: new AbortController(),
      startedAt: undefined,
      recorded: Promise.resolve(),
    };
    this.#live.set(trial, live);
    // Rounds after the checkpoint are done again, and reported again.
    dropUnsaved(trial);
    delete trial.error;
    this.#setStatus(trial, 'waiting');
    try {
      await runner.run(
        {
          id: trial.id,
          index: trial.index,
          config: configOf(settings.space, trial.assignment),
          experimentFolder: this.#folder.path,
          checkpoint: trial.checkpoint,
          signal: live.calledOff.signal,
        },
        this.#earsOf(trial, live),
      );
      this.#endPiece(trial, live);
    } catch (error) {
      this.#failPiece(trial, live, error);
    } finally {
      if (live.startedAt !== undefined) trial.workedMs += now() - live.startedAt;
      this.#live.delete(trial);
      this.#renew();
      void this.#save();
      this.#change();
    }
  }

  #earsOf(trial: Trial, live: LiveTrial): TrialEars {
    return {
      waiting: (reason) => {
        trial.waiting = reason;
        this.#setStatus(trial, 'waiting');
      },
      working: () => {
        live.startedAt ??= this.#parts.now();
        if (trial.status !== 'running') this.#setStatus(trial, 'running');
        this.#change();
      },
      report: (iteration, metrics) => this.#report(trial, live, iteration, metrics),
      recorded: () => live.recorded,
      checkpoint: (checkpoint) => {
        trial.checkpoint = checkpoint;
        void this.#save().then(() => this.#notify({ type: 'checkpoint', trial, ...checkpoint }));
      },
    };
  }

  #report(trial: Trial, live: LiveTrial, iteration: number, metrics: Metrics): 'continue' | 'stop' {
    if (trial.stopReason !== undefined || live.pausedAt !== undefined || this.#ending?.error) return 'stop';
    const { settings, now } = this.#parts;
    const elapsedMs = Math.round(trial.workedMs + now() - (live.startedAt ?? now()));
    const report = { iteration, metrics, elapsedMs };
    trial.reports.push(report);
    delete trial.givenUp;
    live.recorded = this.#folder.report(trial.index, report);
    this.#hear(metrics);
    this.#notify({ type: 'report', trial, iteration, metrics });
    // Who was just told may have called the experiment off.
    if (this.#ending?.error) return 'stop';
    const stopped = this.#ending?.reason ?? reachedStop(settings, trial.id, report);
    if (stopped !== undefined) trial.stopReason = stopped;
    else this.#schedule(trial, live, report);
    const goesOn = trial.stopReason === undefined && live.pausedAt === undefined && !this.#ending;
    return goesOn ? 'continue' : 'stop';
  }

  #schedule(trial: Trial, live: LiveTrial, { iteration, metrics }: TrialReport): void {
    const { settings } = this.#parts;
    const { judge, generations } = settings.scheduler;
    const score = scoreOf(metrics, settings);
    if (judge && score !== undefined) {
      const event = { type: 'report', trial: trial.index, iteration, score } as const;
      const [state, decision] = judge.step(this.#schedulerState, event);
      this.#schedulerState = state;
      if (decision.type === 'stop') {
        trial.stopReason = decision.reason;
        trial.isPruned = true;
      }
    }
    if (generations && iteration >= generationEnd(trial, generations)) live.pausedAt = iteration;
  }

  #endPiece(trial: Trial, { pausedAt, calledOff }: LiveTrial): void {
    if (calledOff.signal.aborted && trial.stopReason === undefined) return this.#setStatus(trial, 'pending');
    if (pausedAt === undefined || this.#ending) return this.#finish(trial);
    if (trial.checkpoint?.iteration === pausedAt) return this.#setStatus(trial, 'paused');
    throw new CheckpointMissingError(
      `Trial ${trial.index} is to be gone on with from iteration ${pausedAt}, but reported no checkpoint there: call report(metrics, checkpoint) at the end of each perturbationInterval.`,
    );
  }

  /** Once all trials are at the end of their generation: who goes on from what. */
  #renew(): void {
    const exploits = this.#ending
      ? undefined
      : renewedGeneration(this.trials, this.#planned, this.#parts.settings);
    if (!exploits || this.#renewing) return;
    this.#renewing = true;
    void takeOver(this.trials, exploits, this.#folder)
      .then((change) => {
        if (this.#ending) return;
        change();
        for (const trial of this.trials) if (trial.status === 'paused') this.#setStatus(trial, 'pending');
      })
      .catch((error: unknown) => {
        const reason = 'a checkpoint can not be copied';
        this.#end({ reason, error: asFailure(error, 'A checkpoint can not be copied') });
      })
      .finally(() => {
        this.#renewing = false;
        this.#change();
      });
  }

  #failPiece(trial: Trial, live: LiveTrial, error: unknown): void {
    const { maxFailures, failFast } = this.#parts.settings;
    if (live.calledOff.signal.aborted) {
      return this.#ending?.error ? this.#setStatus(trial, 'pending') : this.#finish(trial);
    }
    if (trial.stopReason !== undefined && error instanceof AbortedError) return this.#finish(trial);
    const failure = asFailure(error, `Trial ${trial.index} failed`);
    trial.error = { code: failure.code, message: failure.message };
    if (!isHopeless(failure) && (maxFailures === -1 || trial.failures < maxFailures)) {
      trial.failures++;
      delete trial.stopReason;
      return this.#setStatus(trial, 'pending');
    }
    this.#setStatus(trial, 'errored');
    this.#tellScheduler(trial);
    if (failFast) this.#end({ reason: `trial ${trial.index} failed` });
  }

  #finish(trial: Trial): void {
    if (this.#ending && trial.stopReason === undefined) trial.stopReason = this.#ending.reason;
    undoTakeOver(trial);
    this.#setStatus(trial, 'finished');
    this.#tellScheduler(trial);
    const { metric } = this.#parts.settings;
    if (metric === undefined || this.#known.has(metric) || this.#known.size === 0) return;
    const message = `No trial reported the metric "${metric}"; reported were ${[...this.#known].join(', ')}.`;
    const error = new TuneMetricError(message, { field: 'tuneConfig.metric' });
    this.#end({ reason: 'the metric is not reported', error });
  }

  #tellScheduler({ index }: Trial): void {
    const { judge } = this.#parts.settings.scheduler;
    if (judge) [this.#schedulerState] = judge.step(this.#schedulerState, { type: 'ended', trial: index });
  }

  /** Begins nothing more. With an error what runs is called off; without, it ends with the iteration in flight. */
  #end(ending: { readonly error?: Error; readonly reason: string }): void {
    if (this.#ending) return;
    this.#ending = ending;
    for (const trial of ending.error ? [] : this.trials) {
      // Those that wait for their turn again will not have one.
      if (!this.#live.has(trial) && !isOver(trial)) this.#finish(trial);
    }
    for (const [trial, { calledOff }] of this.#live) {
      if (ending.error || trial.status === 'waiting') calledOff.abort();
    }
    this.#change();
  }

  #hear(metrics: Metrics): void {
    for (const name of Object.keys(metrics)) this.#known.add(name);
  }

  #setStatus(trial: Trial, status: Trial['status']): void {
    trial.status = status;
    if (status !== 'waiting') delete trial.waiting;
    this.#notify({ type: 'trial', trial, params: shownValues(this.#parts.settings.space, trial.assignment) });
    void this.#save();
  }

  #notify(event: TuneEvent): void {
    try {
      for (const callback of this.#parts.settings.callbacks) callback.onEvent?.(event);
    } catch (error) {
      this.#end({
        reason: 'a callback threw',
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }

  #save(): Promise<void> {
    const isFinished =
      this.#ending?.error === undefined &&
      this.#live.size === 0 &&
      this.trials.every(isOver) &&
      (this.trials.length >= this.#planned || this.#ending !== undefined);
    const { settings } = this.#parts;
    return this.#folder.save(() => experimentState(settings, this.trials, isFinished));
  }
}
