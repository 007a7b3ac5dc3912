// An experiment at work: makes trials, starts one after the other as there is room, listens to them, and writes down what
// happens. What to try and what to stop is decided by pure functions; here is the order of events.

import type { Metrics } from '../../train/result.ts';
import type { TrialCallbacks } from '../trial/trialRunner.ts';
import { shownValues } from '../space/searchSpace.ts';
import type { ExperimentFolder } from './experimentFolder.ts';
import type { ExperimentParts } from './experimentParts.ts';
import { experimentState } from './experimentState.ts';
import { cutCheckpoint } from './cutCheckpoint.ts';
import { generationEnd, leftAtEnd, renewedGeneration, requireCheckpoint, takeOver } from './generation.ts';
import { SchedulerRunner, type SchedulerDecision } from './schedulerRunner.ts';
import { endSoon, newLiveTrial, type LiveTrial } from './liveTrial.ts';
import { nextTrial, queueReason } from './nextTrial.ts';
import { missingMetric, scoreOf } from './score.ts';
import { pausedReason, pieceOf } from './piece.ts';
import { StopRules } from './stopRule.ts';
import { dropUnsaved, isOver, mayReport, prune, undoTakeOver, type Trial } from '../trial/trial.ts';
import { asFailure, calledOff, isHopeless, isOutageCode } from './trialFailure.ts';
import type { TuneEvent } from '../trial/tuneEvent.ts';

export class Experiment {
  readonly #parts: ExperimentParts;
  readonly #folder: ExperimentFolder;
  readonly #live = new Map<Trial, LiveTrial>();
  /** Metrics that were reported, by any trial. */
  readonly #known = new Set<string>();
  readonly trials: Trial[];
  readonly #schedulerRunner: SchedulerRunner | undefined;
  readonly #stops: StopRules;
  #change: () => void = () => undefined;
  /** Work between the pieces: checkpoints that are copied or cut. */
  #chores = 0;
  /** What was last told of the next new trial. */
  #queueReason: string | undefined;
  /** Why no more is begun. */
  #ending: { readonly error?: Error; readonly reason: string } | undefined;

  constructor(parts: ExperimentParts) {
    this.#parts = parts;
    // Without a record there is nothing to go on with.
    this.#folder = parts.openFolder((error) => this.#end({ reason: 'the record can not be written', error }));
    this.trials = parts.trials;
    const { judge } = parts.settings.scheduler;
    this.#schedulerRunner = judge && new SchedulerRunner(judge);
    this.#stops = new StopRules(parts.settings, parts.now);
    for (const { reports } of this.trials) for (const report of reports) this.#hear(report.metrics);
  }

  /**
   * Runs all trials. @throws AbortedError when called off (what ran can be gone on with); TuneMetricError;
   * ResultWriteError; what a callback of the owner's threw.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { settings, runner } = this.#parts;
    const onAbort = (): void => this.#end({ reason: 'called off', error: calledOff(settings, signal) });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const budget = Number.isFinite(settings.timeBudgetMs)
      ? setTimeout(() => this.#end({ reason: 'the time budget is used up' }), settings.timeBudgetMs)
      : undefined;
    try {
      this.#notify({ type: 'started', name: settings.name, trials: this.#planned });
      for (const trial of leftAtEnd(this.trials, settings.scheduler)) this.#setStatus(trial, 'paused');
      this.#renew();
      for (const trial of this.trials) this.#recall(trial);
      void this.#save();
      for (;;) {
        const changed = new Promise<void>((resolve) => (this.#change = resolve));
        const next = this.#nextTrial(runner.defaultConcurrency);
        if (next) {
          void this.#runPiece(next);
          continue;
        }
        if (this.#live.size === 0 && this.#chores === 0) break;
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

  /** Ends a trial with the iteration in flight, for good; the others go on. One that has ended, or is unknown, stays as it is. */
  stopTrial(index: number): void {
    const trial = this.trials[index];
    if (!trial || isOver(trial) || trial.stopReason !== undefined || this.#ending) return;
    trial.stopReason = 'stopped at the coordinator';
    const live = this.#live.get(trial);
    if (live) endSoon(trial, live, this.#parts.now);
    else this.#finish(trial);
    this.#renew();
    this.#change();
  }

  get #planned(): number {
    const { searcher, space, numSamples } = this.#parts.settings;
    if (this.#parts.isClosed) return this.trials.length;
    return searcher.trials(space, numSamples);
  }

  /** The trial that may begin now. */
  #nextTrial(defaultConcurrency: number): Trial | undefined {
    const { settings } = this.#parts;
    const most = settings.maxConcurrentTrials ?? defaultConcurrency;
    if (this.#ending || this.#live.size >= most) return undefined;
    try {
      const next = nextTrial(this.trials, this.#planned, settings);
      if (next && next.index === this.trials.length) this.trials.push(next);
      if (!next) this.#explainQueue();
      return next;
    } catch (error) {
      const message = `The search space threw for trial ${this.trials.length}`;
      this.#end({ reason: 'no trial can be made', error: asFailure(error, message) });
      return undefined;
    }
  }

  #explainQueue(): void {
    const waiting = queueReason(this.trials, this.#planned, this.#parts.settings);
    if (waiting === this.#queueReason) return;
    this.#queueReason = waiting;
    if (waiting !== undefined) this.#notify({ type: 'queued', index: this.trials.length, waiting });
  }

  async #runPiece(trial: Trial): Promise<void> {
    const { settings, runner, now } = this.#parts;
    const live = newLiveTrial();
    this.#live.set(trial, live);
    // Rounds after the checkpoint are done again, and reported again.
    dropUnsaved(trial);
    delete trial.error;
    this.#setStatus(trial, 'waiting');
    try {
      await runner.run(
        pieceOf(trial, settings.space, this.#folder.path, live.calledOff.signal),
        this.#callbacksOf(trial, live),
      );
      this.#endPiece(trial, live);
    } catch (error) {
      this.#failPiece(trial, live, error);
    } finally {
      if (live.startedAt !== undefined) trial.workedMs += now() - live.startedAt;
      live.spare();
      this.#live.delete(trial);
      this.#renew();
      void this.#save();
      this.#change();
    }
  }

  #callbacksOf(trial: Trial, live: LiveTrial): TrialCallbacks {
    return {
      waiting: (reason) => {
        trial.waiting = reason;
        this.#setStatus(trial, 'waiting');
      },
      run: (runId) => {
        trial.runId = runId;
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
    if (!mayReport(trial, iteration) || live.pausedAt !== undefined || this.#ending?.error) return 'stop';
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
    const stopped = this.#ending?.reason ?? this.#stops.reached(trial, report);
    if (stopped !== undefined) trial.stopReason ??= stopped;
    else this.#schedule(trial, live, iteration, scoreOf(metrics, settings));
    const over = this.#stops.over();
    if (over !== undefined) this.#end({ reason: over });
    const goesOn = mayReport(trial, iteration + 1) && live.pausedAt === undefined && !this.#ending;
    return goesOn ? 'continue' : 'stop';
  }

  #schedule(trial: Trial, live: LiveTrial, iteration: number, score: number | undefined): void {
    const { generations } = this.#parts.settings.scheduler;
    this.#apply(this.#schedulerRunner?.report(trial.index, iteration, score));
    if (generations && iteration >= generationEnd(trial, generations)) live.pausedAt = iteration;
  }

  /** What an earlier process has on record is judged once more, to the same end. */
  #recall(trial: Trial): void {
    // The one with which it came to the end of its time was not judged.
    const isOwnEnd = trial.stopReason !== undefined && trial.prunedAt === undefined;
    for (const { iteration, metrics } of isOwnEnd ? trial.reports.slice(0, -1) : trial.reports) {
      this.#apply(
        this.#schedulerRunner?.report(trial.index, iteration, scoreOf(metrics, this.#parts.settings)),
      );
    }
    if (isOver(trial)) this.#over(trial);
  }

  /** Trials stop at an iteration that some of them may have passed: then what came after it is dropped. */
  #apply(decisions: readonly SchedulerDecision[] = []): void {
    for (const { trial: index, iteration, reason } of decisions) {
      const trial = this.trials[index];
      if (!trial) continue;
      prune(trial, iteration, reason);
      if (!this.#live.has(trial) && !mayReport(trial, iteration + 1)) this.#finish(trial);
    }
  }

  #endPiece(trial: Trial, { pausedAt, calledOff }: LiveTrial): void {
    if (calledOff.signal.aborted && trial.stopReason === undefined) return this.#setStatus(trial, 'pending');
    if (pausedAt === undefined || this.#ending) return this.#finish(trial);
    requireCheckpoint(trial, pausedAt);
    return this.#setStatus(trial, 'paused');
  }

  /** Once all trials are at the end of their generation: who goes on from what. */
  #renew(): void {
    if (this.#ending || this.#chores > 0) return;
    const exploits = renewedGeneration(this.trials, this.#planned, this.#parts.settings);
    if (!exploits) return;
    this.#chore(async () => {
      const change = await takeOver(this.trials, exploits, this.#folder);
      if (this.#ending) return;
      change();
      for (const trial of this.trials) if (trial.status === 'paused') this.#setStatus(trial, 'pending');
    });
  }

  #chore(work: () => Promise<void>): void {
    this.#chores++;
    void work()
      .catch((error: unknown) => {
        const reason = 'a checkpoint can not be written';
        this.#end({ reason, error: asFailure(error, 'A checkpoint can not be written') });
      })
      .finally(() => {
        this.#chores--;
        this.#change();
      });
  }

  #failPiece(trial: Trial, live: LiveTrial, error: unknown): void {
    const { maxFailures, failFast } = this.#parts.settings;
    if (live.calledOff.signal.aborted) {
      return this.#ending?.error ? this.#setStatus(trial, 'pending') : this.#finish(trial);
    }
    // It was told to end, and has.
    if (!mayReport(trial, (trial.reports.at(-1)?.iteration ?? 0) + 1)) return this.#finish(trial);
    const failure = asFailure(error, `Trial ${trial.index} failed`);
    if (isOutageCode(failure)) {
      // No fault of the trial's, and no other would fare better: it can be gone on with when the coordinator is back.
      this.#setStatus(trial, 'pending');
      return this.#end({ reason: 'the coordinator is out of reach', error: failure });
    }
    trial.error = { code: failure.code, message: failure.message };
    if (!isHopeless(failure) && (maxFailures === -1 || trial.failures < maxFailures)) {
      trial.failures++;
      return this.#setStatus(trial, 'pending');
    }
    this.#setStatus(trial, 'errored');
    this.#over(trial);
    if (failFast) this.#end({ reason: `trial ${trial.index} failed` });
  }

  #finish(trial: Trial): void {
    if (this.#ending && trial.stopReason === undefined) trial.stopReason = this.#ending.reason;
    undoTakeOver(trial);
    this.#setStatus(trial, 'finished');
    this.#over(trial);
    const error = missingMetric(this.#parts.settings, this.#known);
    if (error) this.#end({ reason: 'the metric is not reported', error });
  }

  #over(trial: Trial): void {
    this.#apply(this.#schedulerRunner?.end(trial.index));
    const { prunedAt, checkpoint } = trial;
    if (prunedAt === undefined || checkpoint === undefined || checkpoint.iteration <= prunedAt) return;
    this.#chore(async () => {
      const cut = await cutCheckpoint(this.#folder.path, trial, prunedAt);
      if (cut) trial.checkpoint = cut;
      else delete trial.checkpoint;
      void this.#save();
    });
  }

  /**
   * Begins nothing more. With an error what runs is called off; without, it ends with the iteration in flight, and is
   * called off where that takes too long.
   */
  #end(ending: { readonly error?: Error; readonly reason: string }): void {
    if (this.#ending) return;
    this.#ending = ending;
    for (const trial of ending.error ? [] : this.trials) {
      // Those that wait for their turn again will not have one.
      if (!this.#live.has(trial) && !isOver(trial)) this.#finish(trial);
    }
    for (const [trial, live] of this.#live) {
      if (ending.error) live.calledOff.abort();
      else endSoon(trial, live, this.#parts.now);
    }
    this.#change();
  }

  #hear(metrics: Metrics): void {
    for (const name of Object.keys(metrics)) this.#known.add(name);
  }

  #setStatus(trial: Trial, status: Trial['status']): void {
    trial.status = status;
    if (status !== 'waiting') delete trial.waiting;
    if (status === 'paused') trial.waiting = pausedReason(trial);
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
    const isWhole = this.trials.length >= this.#planned || this.#ending !== undefined;
    const isFinished = isWhole && !this.#ending?.error && this.trials.every(isOver);
    return this.#folder.save(() => experimentState(this.#parts.settings, this.trials, isFinished));
  }
}
