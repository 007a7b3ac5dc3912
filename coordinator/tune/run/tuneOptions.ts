// What an owner passes to a Tuner, in Ray's names, and its check.

import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { nearestWord } from '../../../shared/text/nearestWord.ts';
import { sentence } from '../../../shared/text/sentence.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { above0, failureConfig, folderName, path, seed, wholeFrom } from '../../schema/optionWords.ts';
import type { Metrics } from '../../train/result.ts';
import type { TuneCallback } from '../trial/tuneEvent.ts';
import type { TunableTrainer } from './trialTrainers.ts';
import { schedulers } from '../schedule/registry.ts';
import type { Scheduler, SchedulerKind } from '../schedule/scheduler.ts';
import { searcherNames, searchers } from '../search/registry.ts';
import type { Searcher } from '../search/searcher.ts';
import { resolveSpace, type ParamSpace, type SearchSpace } from '../space/searchSpace.ts';
import type { Stopper, StopReport } from '../stop/stopper.ts';
import { TuneArgumentError, SearchSpaceError } from '../space/tuneErrors.ts';

export type TrialConfig = Readonly<Record<string, unknown>>;

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

const searcherWords = searcherNames as [string, ...string[]];

const searcher = z
  .union([
    z.enum(searcherWords),
    z.strictObject({ name: z.enum(searcherWords), parallel: wholeFrom(1, 4096).optional() }),
  ])
  .optional()
  .describe(
    `${searcherNames.join(', ')}. Without it grid where the space has one, else random. {"name": "tpe", "parallel": 8} has more trials open at a time than 4, and learns later from each.`,
  );

/** What config files have of it. */
export const tuneFields = {
  metric: z.string().min(1).describe('What is tuned, e.g. valid-auc.'),
  mode: z.enum(['max', 'min']).describe('Which end of it is best.'),
  numSamples: z
    .union([wholeFrom(1), z.literal(-1)])
    .default(1)
    .describe('Trials, or times that the grid is gone through; -1 goes on until timeBudgetS is over.'),
  searcher,
  scheduler: z
    .union([
      z.enum(schedulers.map(({ name }) => name) as [string, ...string[]]),
      z.looseObject({ name: z.string() }).readonly(),
    ])
    .default('fifo')
    .describe(
      `${schedulers.map(({ name }) => name).join(', ')}, or {"name": …} with its options; ${schedulerOptions()}.`,
    ),
  maxConcurrentTrials: wholeFrom(1)
    .optional()
    .describe(
      "Most trials at once. Without it as many as there are workers for; for a function of the owner's, the number of processor cores.",
    ),
  timeBudgetS: above0
    .optional()
    .describe('Seconds after which no trial begins and those that run end with the iteration in flight.'),
  seed: seed.default(0).describe('The same seed gives the same trials.'),
};

const tuneConfig = z.strictObject({
  ...tuneFields,
  metric: tuneFields.metric.optional(),
  mode: tuneFields.mode.optional(),
  searchAlg: searcher.describe("Ray's word for searcher."),
});

const tuneRunConfig = z.strictObject({
  name: folderName
    .optional()
    .describe('Name of the experiment and of its folder. Without it: tune and a random suffix.'),
  storagePath: path.default('results').describe('Folder that results are written under.'),
  overwrite: z
    .boolean()
    .default(false)
    .describe('Replace an earlier experiment of the name. Without it a folder that holds one is refused.'),
  stop: z
    .custom<StopRule>((value) => typeof value === 'function' || (typeof value === 'object' && value !== null))
    .meta({ title: 'metrics with their bounds, a function or a stopper' })
    .optional()
    .describe(
      'Ends trials: { trainingIteration: 20 }, { timeTotalS: 60 }, { "valid-auc": 0.9 }, a function, or a stopper.',
    ),
  failureConfig: failureConfig
    .extend({
      maxFailures: wholeFrom(-1)
        .default(0)
        .describe('Times that a failed trial is gone on with from its checkpoint; -1 any number.'),
      failFast: z
        .boolean()
        .default(false)
        .describe('The first trial that fails for good ends the experiment.'),
    })
    .prefault({}),
  callbacks: z
    .custom<readonly TuneCallback[]>(Array.isArray)
    .meta({ title: 'a list of callbacks' })
    .default([])
    .describe('Told of everything that happens.'),
  verbose: z
    .literal([0, 1, 2])
    .default(1)
    .describe('0 silent, 1 a live table where stdout is a terminal, 2 also what local workers say.'),
});

export const tunerOptions = z.strictObject({
  trainable: z
    .custom<Trainable>(
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    )
    .meta({ title: 'a trainer or a function' })
    .describe(
      "A trainer, whose options a trial's config is merged into; a function from a config to one; or a function that does the work itself and reports, or returns its metrics.",
    ),
  paramSpace: z
    .custom<ParamSpace>((value) => typeof value === 'object' && value !== null)
    .meta({ title: 'an object of values and domains' })
    .describe('What is searched, e.g. { params: { max_depth: gridSearch([4, 6, 8]) } }.'),
  tuneConfig: tuneConfig.prefault({}),
  runConfig: tuneRunConfig.prefault({}),
});

/** "asha", or with options: { name: "asha", maxT: 50 }. */
export type SchedulerChoice = z.output<typeof tuneFields.scheduler>;
/** How trials are chosen, and how many there are. */
export interface TuneConfig extends Readonly<z.input<typeof tuneConfig>> {}
/** What an experiment is called, and when it ends. */
export interface TuneRunConfig extends Readonly<z.input<typeof tuneRunConfig>> {}
/** What an owner passes to Tuner. */
export interface TunerOptions extends Readonly<z.input<typeof tunerOptions>> {}

/** Metrics that end a trial when they are reached (under the tuned metric of mode "min": when it is as low). */
export type StopRule =
  | Readonly<Record<string, number>>
  | ((trialId: string, report: StopReport) => boolean)
  | Stopper;

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

/** @throws TuneArgumentError naming the option; SearchSpaceError naming the path. */
export function resolveTuneOptions(options: TunerOptions): TuneSettings {
  const checked = checkOptions(tunerOptions, options, tuneError);
  const { metric, mode, timeBudgetS, maxConcurrentTrials, seed: from, numSamples } = checked.tuneConfig;
  const { failureConfig: failures, stop, storagePath, overwrite, callbacks, verbose } = checked.runConfig;
  const space = resolveSpace(options.paramSpace);
  if (metric !== undefined && mode === undefined) {
    throw argument('tuneConfig.mode', 'is missing; expected "max" or "min", which end of the metric is best');
  }
  const chosen = searcherOf(checked.tuneConfig, space);
  chosen.check(space);
  const schedulerChoice = checked.tuneConfig.scheduler;
  const { kind, scheduler } = schedulerOf(schedulerChoice, space, from);
  if (scheduler.generations && numSamples === -1) {
    throw argument(
      'tuneConfig.numSamples',
      `is -1; the scheduler "${kind.name}" compares a fixed number of trials`,
    );
  }
  if (scheduler.generations && chosen.name === 'tpe') {
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
  if (metric === undefined && (kind.needsMetric || chosen.name === 'tpe')) {
    const who = kind.needsMetric ? `The scheduler "${kind.name}"` : 'The searcher "tpe"';
    throw argument('tuneConfig.metric', `is missing. ${who} needs one, e.g. "valid-logloss"`);
  }
  const { name = `tune-${randomUUID().slice(0, 8)}` } = checked.runConfig;
  return {
    trainable: options.trainable,
    space,
    numSamples: numSamples === -1 ? Infinity : numSamples,
    metric,
    mode,
    maxConcurrentTrials,
    timeBudgetMs: timeBudgetS === undefined ? Infinity : timeBudgetS * 1000,
    searcher: chosen,
    scheduler,
    schedulerChoice,
    seed: from,
    experimentId: randomUUID(),
    name,
    folder: resolve(storagePath, name),
    overwrite,
    stop,
    ...failures,
    callbacks,
    verbose,
  };
}

function searcherOf(
  { searcher: asked, searchAlg }: Pick<TuneConfig, 'searchAlg' | 'searcher'>,
  { dimensions }: SearchSpace,
): Searcher {
  if (asked !== undefined && searchAlg !== undefined && asked !== searchAlg) {
    throw argument('tuneConfig.searchAlg', 'and searcher are the same option; give one');
  }
  const hasGrid = dimensions.some(({ form }) => form.kind === 'grid');
  const choice = asked ?? searchAlg ?? (hasGrid ? 'grid' : 'random');
  const { name, parallel } = typeof choice === 'string' ? { name: choice } : choice;
  const found = searchers.find((one) => one.name === name)!;
  if (parallel === undefined) return found;
  if (found.parallel) return { ...found, parallel };
  throw argument('tuneConfig.searcher', `has parallel, which the searcher "${name}" does not know`);
}

function schedulerOf(
  choice: SchedulerChoice,
  space: SearchSpace,
  from: number,
): { kind: SchedulerKind; scheduler: Scheduler } {
  const { name, ...rest } = typeof choice === 'string' ? { name: choice } : choice;
  const kind = schedulers.find((one) => one.name === name);
  if (!kind) {
    const names = schedulers.map((one) => one.name);
    const near = nearestWord(name, names);
    const hint = near === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${near}?`;
    throw argument('tuneConfig.scheduler', `"${name}" is not known; ${hint}`);
  }
  const checked = checkOptions(kind.options, rest, (message, { field }) =>
    tuneError(`tuneConfig.scheduler.${message}`, { field: `tuneConfig.scheduler.${field}` }),
  );
  return { kind, scheduler: kind.create(checked, { space, seed: from }) };
}

function argument(field: string, what: string): TuneArgumentError {
  return tuneError(sentence(`${field} ${what}`), { field });
}

function tuneError(message: string, place: { readonly field: string }): TuneArgumentError {
  return new TuneArgumentError(message, place);
}

/** e.g. "asha: maxT, gracePeriod". */
function schedulerOptions(): string {
  return schedulers
    .map(({ name, options }) => ({ name, keys: Object.keys(options.shape) }))
    .filter(({ keys }) => keys.length > 0)
    .map(({ name, keys }) => `${name}: ${keys.join(', ')}`)
    .join('; ');
}
