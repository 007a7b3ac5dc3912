// What an experiment gives: a result a trial, the best of them, and tables for further use.

import { basename, dirname, join, resolve } from 'node:path';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import type { Dataset } from '../data/dataset.ts';
import { fromItems } from '../data/fromMemory.ts';
import { writeFailure } from '../train/record/atomicWrite.ts';
import { NeuralCheckpoint } from '../checkpoint/neuralCheckpoint.ts';
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { GridPlotOptions } from '../plot/plotOptions.ts';
import type { Metrics } from '../train/result.ts';
import { plotTrials } from './plot/plotTrials.ts';
import type { Trial, TrialStatus } from './trial/trial.ts';
import { configOf, shownValues, type SearchSpace } from './space/searchSpace.ts';
import { TuneArgumentError, TuneMetricError } from './space/tuneErrors.ts';

/** How one trial went. */
export interface TrialResult {
  readonly trialId: string;
  readonly index: number;
  readonly status: TrialStatus;
  /** The trial's own part of the settings. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The values that were searched, by path. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Last reported. */
  readonly metrics: Metrics;
  readonly trainingIteration: number;
  readonly timeTotalS: number;
  /** Every report, in order. */
  readonly metricsTable: readonly (Metrics & { readonly trainingIteration: number })[];
  /** The last one of a trainer's trial; a NeuralCheckpoint of a net. */
  readonly checkpoint?: Checkpoint;
  /** What a function of the owner's last gave as a checkpoint. */
  readonly state?: unknown;
  /** Why it ended before its end. */
  readonly stopReason?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** The trial's folder. */
  readonly path: string;
}

/** last: the last report (default). all: the best of all. avg: their mean; last-5-avg and last-10-avg of the last ones. */
export type MetricScope = 'last' | 'all' | 'avg' | 'last-5-avg' | 'last-10-avg';

export interface ResultGridOptions {
  readonly path: string;
  readonly space: SearchSpace;
  readonly trials: readonly Trial[];
  readonly metric: string | undefined;
  readonly mode: 'max' | 'min' | undefined;
}

/** The results of an experiment, one a trial, in the order of the trials. */
export class ResultGrid implements Iterable<TrialResult> {
  /** The experiment's folder. */
  readonly path: string;
  readonly #results: readonly TrialResult[];
  readonly #metric: string | undefined;
  readonly #mode: 'max' | 'min' | undefined;

  /** Made by Tuner.fit. */
  constructor({ path, space, trials, metric, mode }: ResultGridOptions) {
    this.path = path;
    this.#results = trials.map((trial) => resultOf(trial, space, path));
    this.#metric = metric;
    this.#mode = mode;
  }

  /** Number of trials. */
  get length(): number {
    return this.#results.length;
  }

  /** Results of trials that failed for good. */
  get errors(): readonly TrialResult[] {
    return this.#results.filter(({ status }) => status === 'errored');
  }

  /** The result of a trial by its place, counted from 0; undefined beyond the last. */
  get(index: number): TrialResult | undefined {
    return this.#results[index];
  }

  [Symbol.iterator](): Iterator<TrialResult> {
    return this.#results[Symbol.iterator]();
  }

  /**
   * The best trial; the first of equals. Trials that failed, and values that are NaN or infinite, are left out.
   * @param metric default: that of the tuneConfig, as for mode.
   * @throws TuneArgumentError without metric and mode; TuneMetricError that says why no trial is the best.
   */
  getBestResult(metric = this.#metric, mode = this.#mode, scope: MetricScope = 'last'): TrialResult {
    if (metric === undefined || (mode !== 'max' && mode !== 'min')) {
      const field = metric === undefined ? 'metric' : 'mode';
      throw new TuneArgumentError(
        'getBestResult needs a metric and a mode, e.g. getBestResult("valid-auc", "max"), or those of the tuneConfig.',
        { field },
      );
    }
    let best: TrialResult | undefined;
    let bestValue = NaN;
    for (const result of this.#results) {
      if (result.status === 'errored') continue;
      const value = inScope(result, metric, mode, scope);
      if (value === undefined || !Number.isFinite(value)) continue;
      if (best && !(mode === 'max' ? value > bestValue : value < bestValue)) continue;
      best = result;
      bestValue = value;
    }
    if (best) return best;
    const [failed] = this.errors;
    const why = failed
      ? ` ${this.errors.length} of ${this.length} trials failed, the first: ${failed.error?.message}`
      : '';
    throw new TuneMetricError(`No trial that did not fail has ${this.#missing(metric)}.${why}`, {
      field: 'metric',
    });
  }

  /** What none of the trials has that did not fail. */
  #missing(metric: string): string {
    const tables = this.#results.filter(({ status }) => status !== 'errored').map((one) => one.metricsTable);
    const last = tables.map((rows) => rows.findLast((row) => row[metric] !== undefined)?.[metric]);
    const values = last.filter((value) => value !== undefined);
    if (values.length > 0) {
      const words = [...new Set(values.map(String))].join(', ');
      return `a finite "${metric}": ${values.length} of ${this.length} trials reported ${words}`;
    }
    const names = new Set(tables.flatMap((rows) => rows.flatMap(Object.keys)));
    names.delete('trainingIteration');
    const known = names.size === 0 ? 'no trial reported anything' : `reported were ${[...names].join(', ')}`;
    return `the metric "${metric}"; ${known}`;
  }

  /** A row a trial, as plain values: trial, status, iteration, time, "config/…" for what was searched, metrics. */
  getTable(): Rows {
    const metricNames = [...new Set(this.#results.flatMap(({ metrics }) => Object.keys(metrics)))];
    return this.#results.map((result) => ({
      trial: result.trialId,
      status: result.status,
      trainingIteration: result.trainingIteration,
      timeTotalS: result.timeTotalS,
      ...Object.fromEntries(
        Object.entries(result.params).map(([path, value]) => [`config/${path}`, cell(value)]),
      ),
      ...Object.fromEntries(metricNames.map((name) => [name, result.metrics[name] ?? null])),
      stopReason: result.stopReason ?? null,
      error: result.error?.message ?? null,
    }));
  }

  /**
   * Writes the score of each trial, parameters beside scores, and curves, as one file without anything from elsewhere: a picture
   * (.svg), or a page (.html) with the numbers too.
   * @returns the absolute path of the file.
   * @throws PlotArgumentError; ResultWriteError
   */
  plot(path: string, options: GridPlotOptions = {}): Promise<string> {
    const trials = this.#results;
    return plotTrials(
      { name: basename(this.path), metric: this.#metric, mode: this.#mode, trials },
      path,
      options,
    );
  }

  /** Writes the table as one CSV file. */
  toCsv(file: string): Promise<string> {
    return writeTable(this.getTable(), file, (table, folder) => table.writeCsv(folder));
  }

  /** Writes the table as one Parquet file. */
  toParquet(file: string): Promise<string> {
    return writeTable(this.getTable(), file, (table, folder) => table.writeParquet(folder));
  }
}

function inScope(
  { metricsTable }: TrialResult,
  metric: string,
  mode: 'max' | 'min',
  scope: MetricScope,
): number | undefined {
  const values = metricsTable.flatMap((row) => (row[metric] === undefined ? [] : [row[metric]]));
  if (values.length === 0) return undefined;
  const mean = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0) / some.length;
  switch (scope) {
    case 'last':
      return values.at(-1);
    case 'all': {
      const numbers = values.filter(Number.isFinite);
      return mode === 'max' ? Math.max(...numbers) : Math.min(...numbers);
    }
    case 'avg':
      return mean(values);
    case 'last-5-avg':
      return mean(values.slice(-5));
    case 'last-10-avg':
      return mean(values.slice(-10));
  }
  throw new TuneArgumentError(
    `getBestResult has no scope "${String(scope)}"; expected last, all, avg, last-5-avg or last-10-avg.`,
    { field: 'scope' },
  );
}

function resultOf(trial: Trial, space: SearchSpace, folder: string): TrialResult {
  const last = trial.reports.at(-1);
  const saved = trial.checkpoint && join(folder, trial.checkpoint.path);
  return {
    trialId: trial.id,
    index: trial.index,
    status: trial.status,
    config: configOf(space, trial.assignment),
    params: shownValues(space, trial.assignment),
    metrics: last?.metrics ?? {},
    trainingIteration: last?.iteration ?? 0,
    timeTotalS: trial.workedMs / 1000,
    metricsTable: trial.reports.map(({ iteration, metrics }) => ({
      ...metrics,
      trainingIteration: iteration,
    })),
    ...(saved !== undefined &&
      (saved.endsWith('.json')
        ? { state: savedState(saved) }
        : savedModel(saved, trial.checkpoint?.roundsPerIteration !== undefined))),
    ...(trial.stopReason !== undefined && { stopReason: trial.stopReason }),
    ...(trial.error && { error: trial.error }),
    path: join(folder, trial.id),
  };
}

/** A checkpoint that somebody removed is none. */
function savedModel(path: string, isNet: boolean): { checkpoint?: Checkpoint } {
  try {
    return { checkpoint: isNet ? new NeuralCheckpoint(path) : new Checkpoint(path) };
  } catch {
    return {};
  }
}

function savedState(path: string): unknown {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { state: unknown }).state;
  } catch {
    return undefined;
  }
}

function cell(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  return typeof value === 'object' ? JSON.stringify(value) : typeof value;
}

type Cell = string | number | boolean | null;
type Rows = readonly Readonly<Record<string, Cell>>[];

/** Datasets write folders of parts; here the one part gets the name that was asked for, when it is whole. */
async function writeTable(
  rows: Rows,
  file: string,
  write: (table: Dataset, folder: string) => Promise<string[]>,
): Promise<string> {
  const path = resolve(file);
  let aside: string;
  try {
    aside = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  } catch (error) {
    throw writeFailure(error, path);
  }
  try {
    const [part] = await write(fromItems(oneKindAColumn(rows)), aside);
    if (part === undefined) throw new TuneArgumentError('The experiment has no trials to write.');
    await rename(part, path);
    return path;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** A choice may mix numbers and words; a column of a file may not. */
function oneKindAColumn(rows: Rows): Rows {
  const names = Object.keys(rows[0] ?? {});
  const mixed = names.filter(
    (name) => new Set(rows.flatMap((row) => (row[name] === null ? [] : [typeof row[name]]))).size !== 1,
  );
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(mixed.map((name) => [name, asText(row[name] ?? null)])),
  }));
}

function asText(value: Cell): string | null {
  return value === null ? null : String(value);
}
