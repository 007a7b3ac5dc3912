// What an owner passes to a Tuner, in Ray's names, and its check.

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { nearestWord } from '../../../shared/text/nearestWord.ts';
import { sentence } from '../../../shared/text/sentence.ts';
import type { Metrics } from '../../train/result.ts';
import type { TuneCallback } from '../trial/tuneEvent.ts';
import type { TunableTrainer } from './trialTrainers.ts';
import { schedulers } from '../schedule/registry.ts';
import type { Scheduler, SchedulerKind } from '../schedule/scheduler.ts';
import { searchers } from '../search/registry.ts';
import type { Searcher } from '../search/searcher.ts';
import { resolveSpace, type ParamSpace, type SearchSpace } from '../space/searchSpace.ts';
import type { Stopper, StopReport } from '../stop/stopper.ts';
import { TuneArgumentError, SearchSpaceError } from '../space/tuneErrors.ts';

export type Config = Readonly<Record<string, unknown>>;

/** What the owner's own function gets beside its config. */
export interface TrialContext {
  readonly trialId: string;
  readonly index: number;
  /** Fires when the trial is to end: the experiment is called off, or a scheduler stopped the trial. */
  readonly signal: AbortSignal;
  /** What was last reported as a checkpoint, by this trial before it was interrupted or by the one it goes on from. */
  readonly checkpoint: unknown;
  /** Iterations that the checkpoint stands for; 0 without one. */
  readonly iteration: number;
  /**
   * Tells of one more iteration. Resolves when it is on record: with "stop" the function should return.
   * @param checkpoint plain JSON, e.g. a folder's path or a state.
   */
  readonly report: (metrics: Metrics, checkpoint?: unknown) => Promise<'continue' | 'stop'>;
}

/**
 * A trainer, whose options a trial's config is merged into; a function from a config to one; or a function that does
 * the work itself and reports, or returns its metrics.
 */
export type Trainable = TunableTrainer | ((config: never, context: TrialContext) => unknown);

/** "asha", or with options: { name: "asha", maxT: 50 }. */
export type SchedulerChoice = string | (Readonly<Record<string, unknown>> & { readonly name: string });

/** "tpe", or with an option: { name: "tpe", parallel: 8 }. */
type SearcherChoice = string | { readonly name: string; readonly parallel?: number | undefined };

export interface TuneConfig {
  /** Trials, or times that the grid is gone through; -1 goes on until the time is over. Default 1. */
  readonly numSamples?: number;
  /** What is tuned, e.g. "valid-auc". */
  readonly metric?: string;
  readonly mode?: 'max' | 'min';
  /** Default: as many as there are workers for; for a function of the owner's, the number of processor cores. */
  readonly maxConcurrentTrials?: number;
  /** Seconds after which no trial begins and those that run end with the iteration in flight. */
  readonly timeBudgetS?: number;
  /**
   * random, grid or tpe. Default: grid where the space has a gridSearch, else random. With `parallel` tpe has more trials
   * open at a time than its 4, and learns later from each.
   */
  readonly searcher?: SearcherChoice;
  /** Ray's word for `searcher`. */
  readonly searchAlg?: SearcherChoice;
  /** fifo (default), asha, medianStopping or pbt. */
  readonly scheduler?: SchedulerChoice;
  /** Default 0. */
  readonly seed?: number;
}

/** Metrics that end a trial when they are reached (under the tuned metric of mode "min": when it is as low). */
export type StopRule =
  | Readonly<Record<string, number>>
  | ((trialId: string, report: StopReport) => boolean)
  | Stopper;

export interface TuneRunConfig {
  /** Name of the experiment and of its folder. Default: tune and a random suffix. */
  readonly name?: string;
  /** Default "results". */
  readonly storagePath?: string;
  /** Replace an earlier experiment of the name. Default false: a folder that holds one is refused. */
  readonly overwrite?: boolean;
  /** e.g. { trainingIteration: 20 }, { timeTotalS: 60 }, { "valid-auc": 0.9 }, a function, or a stopper. */
  readonly stop?: StopRule;
  readonly failureConfig?: {
    /** Times that a failed trial is gone on with from its checkpoint; -1 any number. Default 0. */
    readonly maxFailures?: number;
    /** The first trial that fails for good ends the experiment. Default false. */
    readonly failFast?: boolean;
  };
  readonly callbacks?: readonly TuneCallback[];
  /** 0 silent, 1 a live table where stdout is a terminal (default), 2 also what local workers say. */
  readonly verbose?: 0 | 1 | 2;
}

export interface TunerOptions {
  readonly trainable: Trainable;
  readonly paramSpace: ParamSpace;
  readonly tuneConfig?: TuneConfig;
  readonly runConfig?: TuneRunConfig;
}

/** Options with defaults filled in. */
export interface TuneSettings {
  readonly trainable: Trainable;
  readonly space: SearchSpace;
  readonly numSamples: number;
  readonly metric: string | undefined;
  readonly mode: 'max' | 'min' | undefined;
  readonly maxConcurrentTrials: number | undefined;
  readonly timeBudgetMs: number;
  readonly searcher: Searcher;
  readonly scheduler: Scheduler;
  /** As experiment.json keeps it. */
  readonly schedulerChoice: SchedulerChoice;
  readonly seed: number;
  /** Stays the same when the experiment is gone on with. */
  readonly experimentId: string;
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
  readonly overwrite: boolean;
  readonly stop: StopRule | undefined;
  readonly maxFailures: number;
  readonly failFast: boolean;
  readonly callbacks: readonly TuneCallback[];
  readonly verbose: number;
}

const known = {
  '': ['trainable', 'paramSpace', 'tuneConfig', 'runConfig'],
  tuneConfig: [
    'numSamples',
    'metric',
    'mode',
    'maxConcurrentTrials',
    'timeBudgetS',
    'searcher',
    'searchAlg',
    'scheduler',
    'seed',
  ],
  runConfig: ['name', 'storagePath', 'overwrite', 'stop', 'failureConfig', 'callbacks', 'verbose'],
  failureConfig: ['maxFailures', 'failFast'],
} as const;

/** @throws TuneArgumentError naming the option; SearchSpaceError naming the path. */
export function resolveTuneOptions(options: TunerOptions): TuneSettings {
  const { tuneConfig = {}, runConfig = {} } = options;
  const { failureConfig = {} } = runConfig;
  refuseUnknown('', options);
  refuseUnknown('tuneConfig', tuneConfig);
  refuseUnknown('runConfig', runConfig);
  refuseUnknown('failureConfig', failureConfig);
  const space = resolveSpace(options.paramSpace);
  const { metric, mode, timeBudgetS, maxConcurrentTrials, seed = 0, numSamples = 1 } = tuneConfig;
  const { maxFailures = 0, failFast = false } = failureConfig;
  if (numSamples !== -1) wholeNumber('tuneConfig.numSamples', numSamples, 1, 'or -1 for no end');
  if (maxConcurrentTrials !== undefined)
    wholeNumber('tuneConfig.maxConcurrentTrials', maxConcurrentTrials, 1);
  wholeNumber('tuneConfig.seed', seed, 0);
  wholeNumber('runConfig.failureConfig.maxFailures', maxFailures, -1);
  if (timeBudgetS !== undefined && !(timeBudgetS > 0)) {
    throw argument('tuneConfig.timeBudgetS', `is ${timeBudgetS}; expected seconds above 0`);
  }
  if (mode !== undefined && mode !== 'max' && mode !== 'min') {
    throw argument('tuneConfig.mode', `is "${String(mode)}"; expected "max" or "min"`);
  }
  if (metric !== undefined && mode === undefined) {
    throw argument('tuneConfig.mode', 'is missing; expected "max" or "min", which end of the metric is best');
  }
  const searcher = searcherOf(tuneConfig, space);
  searcher.check(space);
  const schedulerChoice = tuneConfig.scheduler ?? 'fifo';
  const { kind, scheduler } = schedulerOf(schedulerChoice, space, seed);
  if (scheduler.generations && numSamples === -1) {
    throw argument(
      'tuneConfig.numSamples',
      `is -1; the scheduler "${kind.name}" compares a fixed number of trials`,
    );
  }
  if (scheduler.generations && searcher.name === 'tpe') {
    throw argument(
      'tuneConfig.searcher',
      `is "tpe", which learns from trials that have ended; the scheduler "${kind.name}" begins all of them first`,
    );
  }
  if (space.dimensions.length === 0) {
    throw new SearchSpaceError(
      'paramSpace has nothing to search: expected at least one domain, e.g. { params: { max_depth: gridSearch([4, 6, 8]) } }.',
      { field: 'paramSpace' },
    );
  }
  if (metric === undefined && (kind.needsMetric || searcher.name === 'tpe')) {
    const who = kind.needsMetric ? `The scheduler "${kind.name}"` : 'The searcher "tpe"';
    throw argument('tuneConfig.metric', `is missing. ${who} needs one, e.g. "valid-logloss"`);
  }
  const { name = `tune-${randomUUID().slice(0, 8)}`, storagePath = 'results' } = runConfig;
  if (!/^[\w.-]{1,100}$/.test(name) || /^\.+$/.test(name)) {
    throw argument('runConfig.name', `is "${name}"; expected letters, digits, "_", "-" and "." only`);
  }
  const { overwrite = false } = runConfig;
  if (typeof overwrite !== 'boolean') throw argument('runConfig.overwrite', 'is neither true nor false');
  return {
    trainable: options.trainable,
    space,
    numSamples: numSamples === -1 ? Infinity : numSamples,
    metric,
    mode,
    maxConcurrentTrials,
    timeBudgetMs: timeBudgetS === undefined ? Infinity : timeBudgetS * 1000,
    searcher,
    scheduler,
    schedulerChoice,
    seed,
    experimentId: randomUUID(),
    name,
    folder: resolve(storagePath, name),
    overwrite,
    stop: runConfig.stop,
    maxFailures,
    failFast,
    callbacks: runConfig.callbacks ?? [],
    verbose: runConfig.verbose ?? 1,
  };
}

function searcherOf({ searcher, searchAlg }: TuneConfig, { dimensions }: SearchSpace): Searcher {
  if (searcher !== undefined && searchAlg !== undefined && searcher !== searchAlg) {
    throw argument('tuneConfig.searchAlg', 'and searcher are the same option; give one');
  }
  const hasGrid = dimensions.some(({ form }) => form.kind === 'grid');
  const choice = searcher ?? searchAlg ?? (hasGrid ? 'grid' : 'random');
  const { name, parallel, ...rest } = typeof choice === 'string' ? { name: choice } : choice;
  const found = searchers.find((one) => one.name === name);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined || (found && !found.parallel && parallel !== undefined)) {
    throw argument(
      'tuneConfig.searcher',
      `has ${unknown ?? 'parallel'}, which the searcher "${name}" does not know`,
    );
  }
  if (found && parallel === undefined) return found;
  if (found && parallel !== undefined) {
    wholeNumber('tuneConfig.searcher.parallel', parallel, 1);
    return { ...found, parallel };
  }
  throw argument(
    'tuneConfig.searcher',
    unknownWord(
      name,
      searchers.map((one) => one.name),
    ),
  );
}

function schedulerOf(
  choice: SchedulerChoice,
  space: SearchSpace,
  seed: number,
): { kind: SchedulerKind; scheduler: Scheduler } {
  const { name, ...rest } = typeof choice === 'string' ? { name: choice } : choice;
  const kind = schedulers.find((one) => one.name === name);
  if (!kind)
    throw argument(
      'tuneConfig.scheduler',
      unknownWord(
        name,
        schedulers.map((one) => one.name),
      ),
    );
  const parsed = kind.options.safeParse(rest);
  if (parsed.success) return { kind, scheduler: kind.create(parsed.data, { space, seed }) };
  const issue = parsed.error.issues[0];
  const field = ['tuneConfig.scheduler', ...(issue?.path ?? [])].join('.');
  throw argument(
    field,
    `does not fit the scheduler "${kind.name}": ${issue?.message ?? z.prettifyError(parsed.error)}`,
  );
}

function wholeNumber(field: string, value: number, least: number, besides = ''): void {
  if (Number.isInteger(value) && value >= least && value <= 2 ** 31) return;
  const rest = besides === '' ? '' : `, ${besides}`;
  throw argument(field, `is ${String(value)}; expected a whole number of at least ${least}${rest}`);
}

function refuseUnknown(section: keyof typeof known, value: object): void {
  const names: readonly string[] = known[section];
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    throw argument(section === '' ? name : `${section}.${name}`, unknownWord(name, names));
  }
}

function unknownWord(word: unknown, words: readonly string[]): string {
  const near = nearestWord(String(word), words);
  return `"${String(word)}" is not known; ${near === undefined ? `expected one of ${words.join(', ')}` : `did you mean ${near}?`}`;
}

function argument(field: string, what: string): TuneArgumentError {
  return new TuneArgumentError(sentence(`${field} ${what}`), { field });
}
