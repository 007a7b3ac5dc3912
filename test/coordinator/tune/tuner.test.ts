// The tuner with functions of the owner's own as trials: no workers, all in this process.

import { eventTurn } from '../../../kernels/eventTurn.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { CoordinatorUnreachableError } from '../../../coordinator/cluster/remote/remoteErrors.ts';
import {
  choice,
  experimentPlateauStopper,
  gridSearch,
  maximumIterationStopper,
  readCsv,
  readParquet,
  sampleFrom,
  Tuner,
  uniform,
  type StopRule,
  type TrialContext,
  type TuneConfig,
  type TunerOptions,
} from '../../../coordinator/index.ts';
import { approach, lines, tunerIn, type Point } from './approachingTrials.ts';

const storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-tune-'));
afterAll(() => rmSync(storagePath, { recursive: true }));
const tuner = tunerIn(storagePath);

describe('Tuner.fit', () => {
  it('replaces an earlier experiment of the name only where it is told to', async () => {
    await tuner('twice', { paramSpace: { x: gridSearch([1, 2]) } }).fit();
    const again = { paramSpace: { x: gridSearch([7]) } };
    await expect(tuner('twice', again).fit()).rejects.toMatchObject({
      code: 'TUNE_EXPERIMENT_INVALID',
      message: expect.stringContaining('replace it by runConfig.overwrite (--overwrite)') as string,
    });
    const grid = await tuner('twice', { ...again, runConfig: { overwrite: true } }).fit();
    expect([grid.length, grid.getBestResult().params]).toEqual([1, { x: 7 }]);
    expect(lines(path.join(storagePath, 'twice/reports.jsonl'))).toHaveLength(10);
  });

  it('runs every trial and finds the best', async () => {
    const grid = await tuner('plain', {}).fit();
    expect(grid.length).toBe(5);
    expect(grid.errors).toEqual([]);
    const best = grid.getBestResult();
    expect(best).toMatchObject({
      index: 3,
      status: 'finished',
      params: { x: 3 },
      trainingIteration: 10,
      state: { i: 10 },
    });
    expect(best.metrics['loss']).toBeCloseTo(0.1, 12);
    expect(grid.getBestResult('loss', 'max').params).toEqual({ x: 0 });
    expect(grid.getBestResult('loss', 'min', 'avg').params).toEqual({ x: 3 });
    expect(grid.getBestResult('loss', 'max', 'all').metricsTable[0]).toMatchObject({
      loss: 10,
      trainingIteration: 1,
    });
    expect([...grid].map(({ params }) => params['x'])).toEqual([0, 1, 2, 3, 4]);
  });

  it('takes what a function returns as its metrics', async () => {
    const grid = await tuner('returned', { trainable: ({ x }: Point) => ({ loss: x }) }).fit();
    expect(grid.getBestResult()).toMatchObject({ metrics: { loss: 0 }, trainingIteration: 1 });
  });

  it('writes the table as CSV and as Parquet', async () => {
    const mixed = { x: gridSearch([0, 3]), kind: choice(['a', 1]) };
    const grid = await tuner('files', { paramSpace: mixed }).fit();
    const csv = await readCsv(await grid.toCsv(path.join(storagePath, 'table.csv'))).take(5);
    const parquet = await readParquet(await grid.toParquet(path.join(storagePath, 'table.parquet'))).take(5);
    for (const rows of [csv, parquet]) {
      expect(rows).toHaveLength(2);
      expect(rows[1]).toMatchObject({ trial: 'trial_00001', 'config/x': 3, loss: 0.1 });
    }
  });

  it('gives the same results for the same seed, one after the other or side by side', async () => {
    const run = async (name: string, maxConcurrentTrials: number) => {
      const paramSpace = { x: uniform(-5, 5), y: sampleFrom((_, random) => random()) };
      const grid = await tuner(name, { paramSpace }, { numSamples: 8, seed: 4, maxConcurrentTrials }).fit();
      return grid.getTable().map((row) => ({ ...row, timeTotalS: 0 }));
    };
    expect(await run('one', 1)).toEqual(await run('side', 5));
  });

  it('never runs more trials at once than it may', async () => {
    let now = 0;
    let most = 0;
    const trainable = async (_config: Point, { report }: TrialContext): Promise<void> => {
      most = Math.max(most, ++now);
      for (let i = 0; i < 5; i++) await report({ loss: 1 });
      now--;
    };
    await tuner('bounded', { trainable }, { maxConcurrentTrials: 2 }).fit();
    expect(most).toBe(2);
  });

  it('goes on without a trial that throws, and keeps its error', async () => {
    const trainable = (config: Point, context: TrialContext): unknown => {
      if (config.x === 3) throw new Error('out of cheese');
      return approach(config, context);
    };
    const grid = await tuner('throws', { trainable }).fit();
    expect(grid.errors).toHaveLength(1);
    expect(grid.errors[0]).toMatchObject({
      index: 3,
      error: { code: 'TUNE_TRIAL_FAILED', message: 'Trial 3 threw: out of cheese' },
    });
    expect(grid.getBestResult().index).toBe(2);
  });

  it('forgives as many failures as it is told, going on from the checkpoint', async () => {
    const starts: number[] = [];
    const trainable = async (_: Point, { report, iteration, checkpoint }: TrialContext): Promise<void> => {
      starts.push(iteration);
      expect(checkpoint).toEqual(iteration === 0 ? undefined : { at: iteration });
      await report({ loss: 1 }, { at: iteration + 1 });
      await report({ loss: 1 });
      if (iteration < 2) throw new Error('again');
    };
    const paramSpace = { x: gridSearch([0]) };
    const forgiving = { name: 'forgiving', failureConfig: { maxFailures: 2 } };
    const grid = await tuner('forgiving', { trainable, paramSpace, runConfig: forgiving }).fit();
    expect(starts).toEqual([0, 1, 2]);
    expect(grid.get(0)).toMatchObject({ status: 'finished', trainingIteration: 4 });
    expect(grid.get(0)?.metricsTable.map((row) => row.trainingIteration)).toEqual([1, 2, 3, 4]);
  });

  it('ends the experiment at the first failure with failFast', async () => {
    const trainable = (): unknown => Promise.reject(new Error('no'));
    const runConfig = { name: 'fast', failureConfig: { failFast: true } };
    const grid = await tuner('fast', { trainable, runConfig }, { maxConcurrentTrials: 1 }).fit();
    expect(grid.length).toBe(1);
  });

  it.each<[string, StopRule, number, string]>([
    ['a bound', { step: 4 }, 4, 'step reached 4'],
    ['iterations', { trainingIteration: 2 }, 2, 'trainingIteration reached 2'],
    ['the tuned metric, from above in mode min', { loss: 1.5 }, 2, 'loss reached 1.5'],
    ['a function', (_trialId, report) => report['step']! >= 3, 3, 'the stop function said so'],
    ['a stopper', maximumIterationStopper(5), 5, 'reached iteration 5'],
  ])('stops a trial at %s', async (_name, stop, iteration, stopReason) => {
    const name = `stop-${iteration}-${typeof stop}-${stopReason.length}`;
    const paramSpace = { x: gridSearch([2]) };
    const grid = await tuner(name, { paramSpace, runConfig: { name, stop } }).fit();
    expect(grid.get(0)).toMatchObject({ status: 'finished', stopReason, trainingIteration: iteration });
  });

  it('ends the experiment when a stopper says so, with what it has', async () => {
    const stop = experimentPlateauStopper('loss', { top: 3, std: 0.02 });
    // Losses of trial 0 come down to 9.1; the first three that lie that close are far before its end.
    const runConfig = { name: 'plateau', stop };
    const grid = await tuner('plateau', { runConfig }, { maxConcurrentTrials: 1 }).fit();
    expect(grid.length).toBe(1);
    expect(grid.get(0)).toMatchObject({
      status: 'finished',
      trainingIteration: 8,
      stopReason: 'the best 3 values of loss differ no more than 0.02',
    });
  });

  it('ends when the time budget is used up, with what it has', async () => {
    const trainable = async (_: Point, { report }: TrialContext): Promise<void> => {
      while ((await report({ loss: 1 })) === 'continue');
    };
    const grid = await tuner('budget', { trainable }, { timeBudgetS: 0.1, maxConcurrentTrials: 2 }).fit();
    expect(grid.length).toBe(2);
    expect(grid.get(0)).toMatchObject({ status: 'finished', stopReason: 'the time budget is used up' });
    const again = await Tuner.restore(path.join(storagePath, 'budget'), { trainable });
    expect((await again.fit()).getTable()).toEqual(grid.getTable());
  });

  it('ends with an error that names what was reported when no trial has the metric', async () => {
    await expect(
      tuner('no-metric', {}, { metric: 'los', maxConcurrentTrials: 1 }).fit(),
    ).rejects.toMatchObject({
      code: 'TUNE_METRIC_MISSING',
      message: 'No trial reported the metric "los"; reported were loss, step.',
    });
  });

  describe('a metric that is no finite number', () => {
    const told = async (name: string, trainable: TunerOptions['trainable']): Promise<string> => {
      const grid = await tuner(name, { trainable }).fit();
      try {
        return `trial ${grid.getBestResult().index}`;
      } catch (error) {
        return (error as Error).message;
      }
    };

    it.each([
      ['NaN', 'NaN'],
      ['Infinity', 'Infinity'],
      ['-Infinity', '-Infinity'],
    ])('is never best, for either mode: %s', async (word, name) => {
      const value = Number(word);
      const trainable = ({ x }: Point): object => ({ loss: x === 2 ? value : x });
      const grid = await tuner(`one${name}`, { trainable }).fit();
      expect(grid.getBestResult('loss', 'min').index).toBe(0);
      expect(grid.getBestResult('loss', 'max').index).toBe(4);
      expect(grid.get(2)!.metrics).toEqual({ loss: value });
      const folder = path.join(storagePath, `one${name}`);
      const restored = await (await Tuner.restore(folder, { trainable })).fit();
      expect(restored.get(2)!.metrics).toEqual({ loss: value });
    });

    it('is said to be the reason why no trial is best', async () => {
      expect(await told('all-nan', () => ({ loss: NaN }))).toBe(
        'No trial that did not fail has a finite "loss": 5 of 5 trials reported NaN.',
      );
      const some = ({ x }: Point): object => {
        if (x > 2) throw new Error('boom');
        return { loss: x === 0 ? NaN : Infinity };
      };
      expect(await told('some-nan', some)).toBe(
        'No trial that did not fail has a finite "loss": 3 of 5 trials reported NaN, Infinity. 2 of 5 trials failed, the first: Trial 3 threw: boom',
      );
    });
  });

  it('tells a silent trial to end when the time budget is used up, and goes on without one that does not', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const told: number[] = [];
      const begun = new Set<number>();
      const trainable = ({ x }: Point, { signal }: TrialContext): Promise<void> =>
        new Promise((_, reject) => {
          begun.add(x);
          signal.addEventListener('abort', () => {
            told.push(x);
            // Trial 1 takes no notice.
            if (x === 0) reject(new Error('told to end'));
          });
        });
      const fitted = tuner(
        'silent',
        { trainable, paramSpace: { x: gridSearch([0, 1]) } },
        { timeBudgetS: 60, maxConcurrentTrials: 2 },
      ).fit();
      while (begun.size < 2) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(64_000);
      expect(told).toEqual([]);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(told).toEqual([0, 1]);
      await vi.advanceTimersByTimeAsync(31_000);
      const grid = await fitted;
      const stopReason = 'the time budget is used up';
      expect([...grid]).toMatchObject([
        { status: 'finished', stopReason },
        { status: 'finished', stopReason },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends, to be gone on with, when the coordinator stays out of reach: that is no failure of a trial', async () => {
    const away = ({ x }: Point): object => {
      if (x === 2) throw new CoordinatorUnreachableError('The coordinator has been out of reach for 120 s.');
      return { loss: x };
    };
    await expect(tuner('away', { trainable: away }, { maxConcurrentTrials: 1 }).fit()).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
    });
    const back = ({ x }: Point): object => ({ loss: x });
    const grid = await (await Tuner.restore(path.join(storagePath, 'away'), { trainable: back })).fit();
    expect([...grid].map(({ status, metrics }) => [status, metrics['loss']])).toEqual(
      [0, 1, 2, 3, 4].map((x) => ['finished', x]),
    );
  });

  it('refuses reports that are no numbers', async () => {
    const trainable = (): unknown => ({ loss: 'small' });
    const grid = await tuner('words', { trainable }).fit();
    expect(grid.errors[0]?.error?.message).toBe(
      'Trial 0 reported loss as string; expected an object of numbers, like { loss: 0.5 }.',
    );
    expect(() => grid.getBestResult()).toThrow(
      /No trial that did not fail has the metric "loss"; no trial reported anything/,
    );
  });

  it('ends when its record can not be written', async () => {
    const trainable = async (_: Point, { report, index }: TrialContext): Promise<void> => {
      if (index === 0) rmSync(path.join(storagePath, 'gone'), { recursive: true });
      // A turn of the event loop each, or nothing could be written, nor fail to be.
      while ((await report({ loss: 1 })) === 'continue') await eventTurn();
    };
    await expect(tuner('gone', { trainable }, { maxConcurrentTrials: 1 }).fit()).rejects.toMatchObject({
      code: 'RESULT_WRITE_FAILED',
    });
  });

  it('lets a callback that throws end the experiment', async () => {
    const boom = new Error('callback');
    const callbacks = [
      {
        onEvent: () => {
          throw boom;
        },
      },
    ];
    await expect(tuner('callback', { runConfig: { name: 'callback', callbacks } }).fit()).rejects.toBe(boom);
  });

  it('asks for what can not be, and says so', () => {
    const refusal = (tuneConfig: TuneConfig, options: Partial<TunerOptions> = {}) => {
      try {
        tuner('refused', options, tuneConfig);
      } catch (error) {
        return (error as Error).message;
      }
      return 'accepted';
    };
    expect(refusal({}, { paramSpace: {} })).toMatch(/^paramSpace has nothing to search/);
    expect(refusal({ scheduler: 'ahsa' })).toBe(
      'tuneConfig.scheduler is "ahsa"; expected one of fifo, asha, medianStopping, pbt, or an object with keys; did you mean asha?',
    );
    expect(refusal({ scheduler: { name: 'ahsa' } })).toBe(
      'tuneConfig.scheduler "ahsa" is not known; did you mean asha?',
    );
    expect(refusal({ scheduler: { name: 'asha', maxt: 3 } })).toMatch(
      /^tuneConfig\.scheduler\.maxt is not an option; did you mean maxT\?$/,
    );
    expect(refusal({ searcher: 'bayes' })).toMatch(/expected one of random, grid, tpe/);
    expect(refusal({ searcher: 'tpe' })).toMatch(/paramSpace.x is a gridSearch/);
    expect(refusal({ numSamples: 0 })).toMatch(
      /numSamples is 0; expected a whole number from 1 to 2147483648, or -1/,
    );
    expect(refusal({ mode: 'best' as never })).toMatch(/mode is "best"; expected one of max, min/);
    expect(refusal({ sheduler: 'asha' } as never)).toMatch(/did you mean scheduler/);
    expect(refusal({ metric: undefined, scheduler: 'asha' })).toMatch(/The scheduler "asha" needs one/);
    expect(refusal({ scheduler: 'pbt', numSamples: -1 })).toMatch(
      /numSamples is -1; .* a fixed number of trials/,
    );
    const paramSpace = { x: uniform(0, 1) };
    expect(refusal({ scheduler: 'pbt', searcher: 'tpe' }, { paramSpace })).toMatch(/searcher is "tpe"/);
  });
});
