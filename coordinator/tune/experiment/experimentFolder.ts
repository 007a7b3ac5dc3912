// The folder that an experiment leaves: experiment.json, whole at any time; reports.jsonl, which grows; a folder a trial.
// All paths in them are relative, so that the folder can be moved.

import { appendFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFailure, writeFileAtomically } from '../../train/record/atomicWrite.ts';
import type { ResultWriteError } from '../../train/trainErrors.ts';
import { ExperimentError } from '../space/tuneErrors.ts';
import type { Trial, TrialCheckpoint, TrialReport } from '../trial/trial.ts';

const STATE_FILE = 'experiment.json';
const REPORTS_FILE = 'reports.jsonl';

const assignmentForm = z.record(z.string(), z.unknown());

const checkpointForm = z.object({
  path: z.string().regex(/^trial_\d{5,}(\/[\w.-]*\w)+$/),
  iteration: z.number().int().nonnegative(),
  roundsPerIteration: z.number().int().positive().exactOptional(),
});

const trialForm = z.object({
  index: z.number().int().nonnegative(),
  id: z.string().regex(/^trial_\d{5,}$/),
  assignment: assignmentForm,
  status: z.enum(['pending', 'waiting', 'running', 'paused', 'finished', 'errored']),
  checkpoint: checkpointForm.optional(),
  renewedAt: z.number().int().nonnegative().optional(),
  givenUp: z
    .object({
      source: z.number().int().nonnegative(),
      checkpoint: checkpointForm,
      assignment: assignmentForm,
    })
    .optional(),
  stopReason: z.string().optional(),
  prunedAt: z.number().int().positive().optional(),
  runId: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  failures: z.number().int().nonnegative(),
  workedMs: z.number().nonnegative(),
});

const stateForm = z.object({
  format: z.literal(1),
  /** Earlier versions had none. */
  experimentId: z.uuid().optional(),
  name: z.string(),
  seed: z.number().int(),
  /** Undefined where the space has values that JSON does not know. */
  paramSpace: z.unknown().optional(),
  /** Paths of the space's domains and their kinds, to tell another space. */
  dimensions: z.array(z.object({ path: z.string(), written: z.string() })),
  tuneConfig: z.record(z.string(), z.unknown()),
  runConfig: z.record(z.string(), z.unknown()),
  isFinished: z.boolean(),
  trials: z.array(trialForm),
});

export type ExperimentState = z.output<typeof stateForm>;

const reportForm = z.object({
  trial: z.number().int().nonnegative(),
  iteration: z.number().int().positive(),
  metrics: z.record(z.string(), z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']), z.null()])),
  elapsedMs: z.number().nonnegative(),
});

export class ExperimentFolder {
  readonly path: string;
  #writing: Promise<void> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();
  #reporting: Promise<void> = Promise.resolve();
  #lines: string[] = [];
  #pending: (() => string) | undefined;
  #failure: ResultWriteError | undefined;
  readonly #onFailure: (error: ResultWriteError) => void;

  /** @param onFailure told of the first write that fails; `settle` throws it. */
  constructor(path: string, onFailure: (error: ResultWriteError) => void = () => undefined) {
    this.path = path;
    this.#onFailure = onFailure;
  }

  /**
   * Makes the folder.
   * @param overwrite remove the experiment that it holds.
   * @throws ExperimentError when it holds one; ResultWriteError.
   */
  async create(overwrite: boolean): Promise<void> {
    if (overwrite) await this.#clear();
    else if (await stat(join(this.path, STATE_FILE)).catch(() => undefined)) {
      const { isFinished, trials } = await this.read();
      const what = isFinished
        ? `the finished experiment of ${trials.length} trials; read it by Tuner.restore`
        : 'an experiment that is not finished; go on with it by Tuner.restore (tabgrad tune --resume)';
      throw new ExperimentError(
        `${this.path} holds ${what}, choose another runConfig.name, replace it by runConfig.overwrite (--overwrite), or remove the folder.`,
        { file: this.path },
      );
    }
    try {
      await mkdir(this.path, { recursive: true });
      await writeFile(join(this.path, REPORTS_FILE), '');
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }

  /** Removes the state first: without it there is no experiment. */
  async #clear(): Promise<void> {
    try {
      const names = await readdir(this.path).catch((): string[] => []);
      const trials = names.filter((name) => /^trial_\d{5,}$/.test(name));
      for (const name of [STATE_FILE, REPORTS_FILE, ...trials])
        await rm(join(this.path, name), { recursive: true, force: true });
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }

  /** @throws ExperimentError */
  async read(): Promise<ExperimentState> {
    const file = join(this.path, STATE_FILE);
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new ExperimentError(
        `${this.path} holds no experiment: ${(error as Error).message}.`,
        { file },
        { cause: error },
      );
    });
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new ExperimentError(
        `${file} is damaged: ${(error as Error).message}.`,
        { file },
        { cause: error },
      );
    }
    const parsed = stateForm.safeParse(value);
    if (parsed.success && parsed.data.trials.every(({ index }, i) => index === i)) return parsed.data;
    const wrong = parsed.success ? 'its trials are not in order' : z.prettifyError(parsed.error);
    throw new ExperimentError(`${file} is no experiment of this version: ${wrong}`, { file });
  }

  /** Reports by trial, oldest first. Where a trial went back to a checkpoint, what it reported anew counts. */
  async readReports(): Promise<Map<number, TrialReport[]>> {
    const text = await readFile(join(this.path, REPORTS_FILE), 'utf8').catch(() => '');
    const reports = new Map<number, TrialReport[]>();
    for (const line of text.split('\n')) {
      const parsed = reportForm.safeParse(parseLine(line));
      // The last line may be torn; it then was never acted upon by a later one.
      if (!parsed.success) continue;
      const { trial, iteration, elapsedMs, metrics } = parsed.data;
      const earlier = (reports.get(trial) ?? []).filter((report) => report.iteration < iteration);
      const numbers = Object.fromEntries(
        // Earlier versions wrote null for what is no finite number.
        Object.entries(metrics).map(([name, value]) => [name, Number(value ?? NaN)]),
      );
      reports.set(trial, [...earlier, { iteration, metrics: numbers, elapsedMs }]);
    }
    return reports;
  }

  /** Writes the state soon; states that follow one another fast are written as one. Resolves when it is on disk. */
  save(state: () => ExperimentState): Promise<void> {
    const isQueued = this.#pending !== undefined;
    this.#pending = () => `${JSON.stringify(state())}\n`;
    if (isQueued) return this.#saving;
    this.#saving = this.#enqueue(async () => {
      const text = this.#pending?.() ?? '';
      this.#pending = undefined;
      await writeFileAtomically(join(this.path, STATE_FILE), text);
    });
    return this.#saving;
  }

  /** Reports that follow one another fast are written as one. Resolves when this one is in the file. */
  report(trial: number, report: TrialReport): Promise<void> {
    const isQueued = this.#lines.length > 0;
    // JSON has no word for what is no finite number.
    const finite = (_: string, value: unknown): unknown =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    this.#lines.push(`${JSON.stringify({ trial, ...report }, finite)}\n`);
    if (isQueued) return this.#reporting;
    this.#reporting = this.#enqueue(() => {
      const text = this.#lines.join('');
      this.#lines = [];
      return appendFile(join(this.path, REPORTS_FILE), text);
    });
    return this.#reporting;
  }

  /** Copies another trial's checkpoint, so that it stays when that trial drops it. */
  async copyCheckpoint(from: TrialCheckpoint, trial: Trial): Promise<TrialCheckpoint> {
    const ending = from.path.endsWith('.json') ? '.json' : '';
    const path = `${trial.id}/copied/${from.iteration}${ending}`;
    try {
      await rm(join(this.path, path), { recursive: true, force: true });
      await cp(join(this.path, from.path), join(this.path, path), { recursive: true });
    } catch (error) {
      throw writeFailure(error, join(this.path, path));
    }
    return { ...from, path };
  }

  /** Waits until all is on disk. @throws ResultWriteError */
  async settle(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure;
  }

  /** One write after the other. */
  #enqueue(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      if (this.#failure) return;
      this.#failure = writeFailure(error, this.path);
      this.#onFailure(this.#failure);
    });
    return this.#writing;
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
