// Schedulers in experiments with functions of the owner's own as trials: what they stop, and whose state they pass on.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../setup/seededRandom.ts';
import {
  Tuner,
  uniform,
  type ResultGrid,
  type TrialContext,
  type TuneConfig,
  type TuneEvent,
} from '../../../coordinator/index.ts';
import { approach, tunerIn, withoutTimes, type Point } from './approachingTrials.ts';

const storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-tune-'));
afterAll(() => rmSync(storagePath, { recursive: true }));
const tuner = tunerIn(storagePath);

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
