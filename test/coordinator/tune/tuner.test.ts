// The tuner with functions of the owner's own as trials: no workers, all in this process.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CoordinatorUnreachableError } from '../../../coordinator/cluster/remote/remoteErrors.ts';
import { seededRandom } from '../../setup/seededRandom.ts';
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
  type ResultGrid,
  type StopRule,
  type TrialContext,
  type TuneConfig,
  type TuneEvent,
  type TunerOptions,
} from '../../../coordinator/index.ts';

let storagePath = '';
beforeAll(() => void (storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-tune-'))));
afterAll(() => rmSync(storagePath, { recursive: true }));

interface Point {
  readonly x: number;
}

/** Loss of (x - 3)², which ten reports approach. */
async function approach({ x }: Point, { report, iteration }: TrialContext): Promise<void> {
  for (let i = iteration + 1; i <= 10; i++) {
    const decision = await report({ loss: (x - 3) ** 2 + 1 / i, step: i }, { i });
    if (decision === 'stop') return;
  }
}

function tuner(name: string, options: Partial<TunerOptions>, tuneConfig: TuneConfig = {}): Tuner {
  return new Tuner({
    trainable: approach,
    paramSpace: { x: gridSearch([0, 1, 2, 3, 4]) },
    tuneConfig: { metric: 'loss', mode: 'min', ...tuneConfig },
    ...options,
    runConfig: { name, storagePath, verbose: 0, ...options.runConfig },
  });
}

const lines = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');

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
      while ((await report({ loss: 1 })) === 'continue');
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
    expect(refusal({ metric: undefined as never, scheduler: 'asha' })).toMatch(
      /The scheduler "asha" needs one/,
    );
    expect(refusal({ scheduler: 'pbt', numSamples: -1 })).toMatch(
      /numSamples is -1; .* a fixed number of trials/,
    );
    const paramSpace = { x: uniform(0, 1) };
    expect(refusal({ scheduler: 'pbt', searcher: 'tpe' }, { paramSpace })).toMatch(/searcher is "tpe"/);
  });
});

/** The table, without what the clock says. */
function withoutTimes(grid: ResultGrid) {
  return grid.getTable().map((row) => ({ ...row, timeTotalS: 0 }));
}

const ROUNDS = 36;
const allRounds = Array.from({ length: ROUNDS }, (_, i) => i + 1);

/** What round i adds: the best rate moves from 0.1 to 0.9. */
function gain(rate: number, i: number): number {
  return Math.max(0, 1 - 4 * Math.abs(rate - 0.1 - (0.8 * i) / ROUNDS));
}

/** Adds gains up, from its checkpoint on. */
async function follow(
  { rate }: { rate: number },
  { report, checkpoint, iteration }: TrialContext,
  rounds = ROUNDS,
): Promise<void> {
  let { sum } = (checkpoint as { sum: number } | undefined) ?? { sum: 0 };
  for (let i = iteration + 1; i <= rounds; i++) {
    sum += gain(rate, i);
    if ((await report({ sum }, { sum })) === 'stop') return;
  }
}

const rates = { rate: uniform(0.01, 1) };
const populationConfig = {
  metric: 'sum',
  mode: 'max',
  numSamples: 8,
  seed: 1,
  scheduler: { name: 'pbt', perturbationInterval: 3 },
} as const;

describe('schedulers at work', () => {
  it('asha spends far fewer iterations and keeps the best', async () => {
    const paramSpace = { x: uniform(0, 6) };
    let done = 0;
    const trainable = async ({ x }: Point, { report }: TrialContext): Promise<void> => {
      for (let i = 1; i <= 64; i++) {
        done++;
        if ((await report({ loss: (x - 3) ** 2 })) === 'stop') return;
      }
    };
    const grid = await tuner(
      'asha',
      { paramSpace, trainable },
      { numSamples: 40, scheduler: 'asha', maxConcurrentTrials: 4 },
    ).fit();
    expect(done).toBeLessThan(0.3 * 40 * 64);
    const best = grid.getBestResult();
    expect(best.trainingIteration).toBe(64);
    const losses = [...grid].map(({ metrics }) => metrics['loss']!);
    expect(best.metrics['loss']).toBe(Math.min(...losses));
  });

  it.each<[string, TuneConfig]>([
    ['asha', { scheduler: { name: 'asha', maxT: 9, reductionFactor: 3 } }],
    ['median stopping', { scheduler: { name: 'medianStopping', gracePeriod: 2 } }],
    ['tpe', { searcher: 'tpe' }],
    [
      'tpe and asha',
      { searcher: { name: 'tpe', parallel: 3 }, scheduler: { name: 'asha', reductionFactor: 2 } },
    ],
  ])(
    '%s gives the same result whatever the concurrency and the speed of the trials',
    async (kind, choice) => {
      const run = async (maxConcurrentTrials: number) => {
        const random = seededRandom(maxConcurrentTrials);
        const trainable = async ({ x }: Point, { report }: TrialContext): Promise<void> => {
          for (let i = 1; i <= 10; i++) {
            // Some are ahead of others, by turns of the event loop.
            for (let turns = random() * 20; turns > 0; turns--) await new Promise(setImmediate);
            if ((await report({ loss: (x - 3) ** 2 + Math.sin(40 * x * i) }, { i })) === 'stop') return;
          }
        };
        const name = `${kind.replaceAll(' ', '-')}-${maxConcurrentTrials}`;
        const tuneConfig = { ...choice, numSamples: 20, seed: 5, maxConcurrentTrials };
        return tuner(name, { trainable, paramSpace: { x: uniform(0, 6) } }, tuneConfig).fit();
      };
      const seen = (grid: ResultGrid) => [
        withoutTimes(grid),
        [...grid].map(({ state, metricsTable }) => [state, metricsTable]),
      ];
      const alone = await run(1);
      for (const concurrency of [2, 4]) expect(seen(await run(concurrency))).toEqual(seen(alone));
      if (choice.scheduler)
        expect([...alone].some(({ trainingIteration }) => trainingIteration < 9)).toBe(true);
      // A restored experiment judges its record once more, to the same end.
      const restored = await Tuner.restore(alone.path, { trainable: approach });
      expect(seen(await restored.fit())).toEqual(seen(alone));
    },
  );

  it('pbt beats every fixed setting where the best setting moves, with the same result whatever the concurrency', async () => {
    const fixed = Array.from({ length: 101 }, (_, k) => {
      let sum = 0;
      for (let i = 1; i <= ROUNDS; i++) sum += gain(k / 100, i);
      return sum;
    });
    const run = async (maxConcurrentTrials: number) => {
      const tuneConfig = { ...populationConfig, maxConcurrentTrials };
      const grid = await tuner(
        `pbt-${maxConcurrentTrials}`,
        { trainable: follow, paramSpace: rates },
        tuneConfig,
      ).fit();
      expect(grid.errors).toEqual([]);
      return grid;
    };
    const grid = await run(8);
    expect(grid.getBestResult().metrics['sum']).toBeGreaterThan(Math.max(...fixed) * 1.2);
    for (const result of grid)
      expect(result.metricsTable.map((row) => row.trainingIteration)).toEqual(allRounds);
    const plain = withoutTimes(grid);
    for (const concurrency of [1, 2, 4]) expect(withoutTimes(await run(concurrency))).toEqual(plain);
  });

  it('says of a trial at the end of its generation that it waits for the others, and nothing once it goes on', async () => {
    const told: string[] = [];
    const onEvent = (event: TuneEvent): void => {
      if (event.type !== 'trial') return;
      const { status, waiting } = event.trial;
      if (status === 'paused') told.push(waiting ?? '');
      else if (status === 'running') expect(waiting).toBeUndefined();
    };
    const runConfig = { name: 'pbt-waits', callbacks: [{ onEvent }] };
    const twelve = (config: { rate: number }, context: TrialContext): Promise<void> =>
      follow(config, context, 12);
    await tuner('pbt-waits', { trainable: twelve, paramSpace: rates, runConfig }, populationConfig).fit();
    for (const index of Array(8).keys()) {
      for (const iteration of [3, 6, 9]) {
        expect(told).toContain(`trial ${index} waits for the others at iteration ${iteration}`);
      }
    }
  });

  it('says which trial tpe waits for, once, when there is room for another', async () => {
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const trainable = async ({ x }: Point, { index }: TrialContext): Promise<{ loss: number }> => {
      if (index === 10) await slow;
      return { loss: x };
    };
    const queued: [number, string][] = [];
    const begun = new Set<number>();
    const onEvent = (event: TuneEvent): void => {
      if (event.type === 'trial') begun.add(event.trial.index);
      if (event.type !== 'queued') return;
      queued.push([event.index, event.waiting]);
      expect(begun.has(event.index)).toBe(false);
      if (event.waiting.includes('trial 10:')) release();
    };
    const grid = await tuner(
      'tpe-waits',
      {
        trainable,
        paramSpace: { x: uniform(0, 1) },
        runConfig: { name: 'tpe-waits', callbacks: [{ onEvent }] },
      },
      { searcher: 'tpe', numSamples: 20, maxConcurrentTrials: 6 },
    ).fit();
    expect(grid.length).toBe(20);
    expect(queued).toContainEqual([14, 'trial 14 waits for trial 10: tpe learns from it']);
    expect(queued.every(([index], i) => i === 0 || queued[i - 1]![0] <= index)).toBe(true);
    expect(queued.filter(([, waiting]) => waiting.includes('trial 10:'))).toHaveLength(1);
  });

  it('pbt goes on from the record, in the middle of a generation too', async () => {
    const twelve = (config: { rate: number }, context: TrialContext): Promise<void> =>
      follow(config, context, 12);
    const whole = await tuner('pbt-whole', { trainable: twelve, paramSpace: rates }, populationConfig).fit();
    // Places in the order of events: the last of a generation's reports, the first of the next, and one in between.
    for (const reports of [8 * 3, 8 * 3 + 1, 8 * 4 + 3]) {
      const off = new AbortController();
      let heard = 0;
      const name = `pbt-off-${reports}`;
      const onEvent = ({ type }: TuneEvent): void => {
        if (type === 'report' && ++heard === reports) off.abort();
      };
      const options = { trainable: twelve, paramSpace: rates, runConfig: { name, callbacks: [{ onEvent }] } };
      const first = tuner(name, options, { ...populationConfig, maxConcurrentTrials: 3 });
      await expect(first.fit({ signal: off.signal })).rejects.toMatchObject({ code: 'ABORTED' });
      const restored = await Tuner.restore(path.join(storagePath, name), { trainable: twelve });
      expect(withoutTimes(await restored.fit())).toEqual(withoutTimes(whole));
    }
  });

  it('pbt says when a function gives it no checkpoint to go on from, and never tries it again', async () => {
    let begun = 0;
    const trainable = async (_: unknown, { report }: TrialContext): Promise<void> => {
      begun++;
      while ((await report({ sum: 1 })) === 'continue');
    };
    const runConfig = { name: 'pbt-bare', failureConfig: { maxFailures: -1 } };
    const grid = await tuner('pbt-bare', { trainable, paramSpace: rates, runConfig }, populationConfig).fit();
    expect(begun).toBe(8);
    expect(grid.errors).toHaveLength(8);
    expect(grid.errors[0]?.error).toEqual({
      code: 'TUNE_CHECKPOINT_MISSING',
      message:
        'Trial 0 is to be gone on with from iteration 3, but reported no checkpoint there: call report(metrics, checkpoint) at the end of each perturbationInterval.',
    });
  });

  it('pbt goes on without a trial that fails for good', async () => {
    const trainable = (config: { rate: number }, context: TrialContext): unknown => {
      if (context.index === 2 && context.iteration === 3) throw new Error('out of cheese');
      return follow(config, context);
    };
    const grid = await tuner('pbt-failing', { trainable, paramSpace: rates }, populationConfig).fit();
    expect(grid.errors.map(({ index }) => index)).toEqual([2]);
    expect(grid.getBestResult().trainingIteration).toBe(ROUNDS);
  });

  it('pbt ends paused trials with the experiment', async () => {
    let onPaused = (): void => undefined;
    const paused = new Promise<void>((resolve) => (onPaused = resolve));
    const trainable = async (config: { rate: number }, context: TrialContext): Promise<void> => {
      if (context.index === 0) return follow(config, context);
      await paused;
      throw new Error('out of cheese');
    };
    const onEvent = (event: TuneEvent): void => {
      if (event.type === 'trial' && event.trial.status === 'paused') onPaused();
    };
    const runConfig = { name: 'pbt-over', failureConfig: { failFast: true }, callbacks: [{ onEvent }] };
    const tuneConfig = { ...populationConfig, numSamples: 2, maxConcurrentTrials: 2 };
    const grid = await tuner('pbt-over', { trainable, paramSpace: rates, runConfig }, tuneConfig).fit();
    expect(grid.get(0)).toMatchObject({
      status: 'finished',
      trainingIteration: 3,
      stopReason: 'trial 1 failed',
    });
  });
});

describe('Tuner.restore', () => {
  /** Runs until trial 1 is in the middle, then calls off. */
  async function interrupted(name: string): Promise<string> {
    const off = new AbortController();
    const trainable = async (config: Point, context: TrialContext): Promise<void> => {
      const report: TrialContext['report'] = (metrics, checkpoint) => {
        if (context.index === 1 && metrics['step'] === 4) off.abort();
        return context.report(metrics, metrics['step'] === 4 ? undefined : checkpoint);
      };
      await approach(config, { ...context, report });
    };
    const first = tuner(name, { trainable }, { maxConcurrentTrials: 1 });
    await expect(first.fit({ signal: off.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    return path.join(storagePath, name);
  }

  it('goes on where it was, in another folder too, without running finished trials again', async () => {
    const before = await interrupted('moved-from');
    const after = path.join(storagePath, 'moved-to');
    renameSync(before, after);
    const begun: [number, number][] = [];
    const trainable = (config: Point, context: TrialContext): unknown => {
      begun.push([context.index, context.iteration]);
      return approach(config, context);
    };
    const grid = await (await Tuner.restore(after, { trainable, runConfig: { verbose: 0 } })).fit();
    expect(begun).toEqual([
      [1, 3],
      [2, 0],
      [3, 0],
      [4, 0],
    ]);
    const whole = await tuner('uninterrupted', {}).fit();
    const plain = (table: ReturnType<typeof grid.getTable>) =>
      table.map((row) => ({ ...row, timeTotalS: 0 }));
    expect(plain(grid.getTable())).toEqual(plain(whole.getTable()));
    expect(grid.get(1)?.metricsTable).toEqual(whole.get(1)?.metricsTable);
  });

  it('gives the grid of an experiment that is finished, and runs nothing', async () => {
    await tuner('finished', {}).fit();
    const trainable = (): never => {
      throw new Error('not again');
    };
    const grid = await (await Tuner.restore(path.join(storagePath, 'finished'), { trainable })).fit();
    expect(grid.getBestResult().params).toEqual({ x: 3 });
    expect(grid.errors).toEqual([]);
  });

  it.each([
    ['resumeErrored', 5],
    ['restartErrored', 0],
  ] as const)('takes failed trials up again with %s', async (option, from) => {
    const failing = async (config: Point, { report }: TrialContext): Promise<void> => {
      for (let i = 1; i <= 5; i++) await report({ loss: 1, step: i }, { i });
      if (config.x === 2) throw new Error('once');
    };
    await tuner(option, { trainable: failing }).fit();
    const begun: [number, number][] = [];
    const trainable = (config: Point, context: TrialContext): unknown => {
      begun.push([context.index, context.iteration]);
      return approach(config, context);
    };
    const folder = path.join(storagePath, option);
    expect((await (await Tuner.restore(folder, { trainable })).fit()).errors).toHaveLength(1);
    expect(begun).toEqual([]);
    const grid = await (await Tuner.restore(folder, { trainable, [option]: true })).fit();
    expect(begun).toEqual([[2, from]]);
    expect(grid.errors).toEqual([]);
    expect(grid.get(2)?.trainingIteration).toBe(10);
  });

  it('will not write over an experiment, be it finished or not', async () => {
    const code = 'TUNE_EXPERIMENT_INVALID';
    await interrupted('kept');
    const going = expect.stringMatching(/not finished; go on with it by Tuner\.restore/) as string;
    await expect(tuner('kept', {}).fit()).rejects.toMatchObject({ code, message: going });
    const first = await tuner('whole', {}).fit();
    const whole = expect.stringMatching(/the finished experiment of 5 trials; read it by/) as string;
    await expect(tuner('whole', { paramSpace: { x: gridSearch([1]) } }).fit()).rejects.toMatchObject({
      code,
      message: whole,
    });
    const kept = await Tuner.restore(path.join(storagePath, 'whole'), { trainable: approach });
    expect((await kept.fit()).getTable()).toEqual(first.getTable());
  });

  it('leaves an experiment alone on which another process is at work, until that one is gone', async () => {
    const folder = await interrupted('locked');
    const program = path.join(import.meta.dirname, 'fixtures/holdLock.ts');
    const holder = spawn(process.execPath, ['--import', 'tsx', program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 30_000,
    });
    const gone = once(holder, 'exit');
    await once(holder.stdout, 'data');
    const message = expect.stringMatching(/locked is in use: another process/);
    const inUse = { code: 'TUNE_EXPERIMENT_INVALID', message };
    await expect(tuner('locked', {}).fit()).rejects.toMatchObject(inUse);
    await expect(Tuner.restore(folder, { trainable: approach })).rejects.toMatchObject(inUse);
    holder.kill('SIGKILL');
    await gone;
    expect((await (await Tuner.restore(folder, { trainable: approach })).fit()).length).toBe(5);
  });

  it('survives a torn last line of reports', async () => {
    const folder = await interrupted('torn');
    const file = path.join(folder, 'reports.jsonl');
    writeFileSync(file, `${lines(file).join('\n')}\n{"trial":1,"itera`);
    const grid = await (await Tuner.restore(folder, { trainable: approach })).fit();
    expect(grid.get(1)?.metricsTable).toHaveLength(10);
  });

  it.each([
    ['nothing', undefined, /holds no experiment/],
    ['no JSON', '{', /is damaged/],
    ['another JSON', '{"format":2}', /is no experiment of this version/],
  ])('refuses a folder with %s', async (name, text, message) => {
    const folder = mkdtempSync(path.join(storagePath, 'bad-'));
    if (text !== undefined) writeFileSync(path.join(folder, 'experiment.json'), text);
    await expect(Tuner.restore(folder, { trainable: approach })).rejects.toMatchObject({
      code: 'TUNE_EXPERIMENT_INVALID',
      message: expect.stringMatching(message),
    });
    expect(name).toBeDefined();
  });

  it('refuses another search space, and asks for one that its record could not hold', async () => {
    const folder = await interrupted('other-space');
    const other = { x: uniform(0, 1) };
    await expect(Tuner.restore(folder, { trainable: approach, paramSpace: other })).rejects.toThrow(
      /expected x: grid, given x: uniform\(0, 1\)/,
    );
    await tuner('function-space', { paramSpace: { x: sampleFrom(() => 3) } }).fit();
    await expect(
      Tuner.restore(path.join(storagePath, 'function-space'), { trainable: approach }),
    ).rejects.toThrow(/give paramSpace to Tuner.restore/);
  });
});
