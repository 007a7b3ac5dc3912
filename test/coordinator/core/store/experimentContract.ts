// What every database must do for the record of experiments, whichever it is.

import { expect, it } from 'vitest';
import type { ExperimentUpdate, RecordedTrial } from '../../../../shared/api/experiment.ts';
import { type StoreWorld } from './storeWorld.ts';

/** Tests of a suite for one database. */
export function describeExperiments(world: StoreWorld): void {
  it('gives experiments back as they were last told, each trial as it was last told', async () => {
    const id = (last: number): string => `0b0e7b1c-0000-4000-8000-00000000000${last}`;
    const experiment = (startedAtMs: number, trials: RecordedTrial[]): ExperimentUpdate => ({
      name: 'an „Ünï𝄞',
      folder: '/results/an',
      metric: 'valid-auc',
      mode: 'max',
      status: 'running',
      startedAtMs,
      trials,
    });
    const begun = (number: number): RecordedTrial => ({
      number,
      status: 'running',
      assignment: { 'params.eta': 1 / 3, kind: '„a"', flag: true, none: null },
      iterations: 0,
    });
    const ended: RecordedTrial = {
      ...begun(1),
      status: 'finished',
      iterations: 20,
      lastScore: -1 / 3,
      bestScore: 0.75,
      runId: 'r-1',
      stopReason: 'not among the „best"',
      prunedAt: 20,
    };
    const many = Array.from({ length: 130 }, (_, number) => begun(number));
    const first = Date.now();
    await world.store.experiments.save(id(2), experiment(2.5, many));
    await world.store.experiments.save(id(3), {
      name: 'bare',
      folder: '/b',
      status: 'running',
      startedAtMs: 3,
      trials: [],
    });
    await world.store.experiments.save(id(1), experiment(1, [{ ...begun(0), errorCode: 'ABORTED' }]));
    await world.store.experiments.save(id(2), {
      ...experiment(99, [ended]),
      status: 'failed',
      errorCode: 'TUNE_METRIC_MISSING',
      endedAtMs: 7,
    });
    await world.reopen();
    const [a, b, c] = await world.store.experiments.latest(10, 200);
    expect(a).toEqual({
      ...experiment(1, [{ ...begun(0), errorCode: 'ABORTED' }]),
      experimentId: id(1),
      heardAtMs: expect.any(Number) as number,
      silentMs: expect.any(Number) as number,
      trialCount: 1,
      counts: { running: 1 },
    });
    expect(b!.counts).toEqual({ finished: 1, running: 129 });
    expect(b!.best).toEqual({ number: 1, score: -1 / 3 });
    expect(a!.heardAtMs).toBeGreaterThanOrEqual(first);
    expect(b).toMatchObject({
      status: 'failed',
      errorCode: 'TUNE_METRIC_MISSING',
      startedAtMs: 2.5,
      endedAtMs: 7,
    });
    expect(b!.trials).toEqual(many.map((trial) => (trial.number === 1 ? ended : trial)));
    expect(Object.keys(c!)).not.toContain('metric');
    const short = await world.store.experiments.latest(2, 1);
    expect(
      short.map(({ experimentId, trialCount, trials }) => [experimentId, trialCount, trials.length]),
    ).toEqual([
      [id(2), 130, 1],
      [id(3), 0, 0],
    ]);
  });

  it('keeps the scores of trials over iterations, thinned, as they were last told', async () => {
    const id = '0b0e7b1c-0000-4000-8000-000000000001';
    const reports = (from: number, to: number, score: number): [number, number][] =>
      Array.from({ length: to - from + 1 }, (_, i) => [from + i, score]);
    const save = async (trials: ExperimentUpdate['trials'], mode: 'max' | 'min' = 'max'): Promise<void> => {
      const head = {
        name: 'n',
        folder: '/',
        metric: 'm',
        mode,
        status: 'running',
        startedAtMs: 1,
      } as const;
      await world.store.experiments.save(id, { ...head, trials });
    };
    const trial = (number: number, iterations: number, lastScore: number): RecordedTrial => ({
      number,
      status: 'running',
      assignment: {},
      iterations,
      lastScore,
    });
    await save([{ ...trial(0, 3, 1 / 3), reports: reports(1, 3, 1 / 3) }, trial(1, 0, 0)]);
    await save([{ ...trial(0, 4, 2), reports: [[4, 2]] }]);
    // Without new ones, what is known stays.
    await save([trial(0, 4, 2)]);
    await world.reopen();
    expect(await world.store.experiments.curves(id)).toEqual({
      trialCount: 1,
      curves: [{ number: 0, points: [...reports(1, 3, 1 / 3), [4, 2]] }],
    });
    // Done again from iteration 3 on.
    await save([{ ...trial(0, 3, 5), reports: [[3, 5]] }]);
    expect((await world.store.experiments.curves(id))!.curves[0]!.points).toEqual([
      ...reports(1, 2, 1 / 3),
      [3, 5],
    ]);
    for (let first = 1; first < 10_000; first += 250)
      await save([{ ...trial(1, first + 249, 7), reports: reports(first, first + 249, 7) }]);
    const { curves } = (await world.store.experiments.curves(id))!;
    expect(curves[1]!.points.length).toBeLessThanOrEqual(256);
    expect(curves[1]!.points.at(-1)).toEqual([10_000, 7]);
    // Of many trials less of each.
    await save(
      Array.from({ length: 300 }, (_, i) => ({ ...trial(i + 2, 200, i), reports: reports(1, 200, i / 3) })),
    );
    const many = (await world.store.experiments.curves(id))!;
    expect([many.trialCount, many.curves.length]).toEqual([302, 302]);
    expect(Math.max(...many.curves.map(({ points }) => points.length))).toBeLessThanOrEqual(32);
    expect(many.curves[299]!.points.at(-1)).toEqual([200, 99]);
    expect(await world.store.experiments.curves(id.replace(/1$/, '2'))).toBeUndefined();
  });

  it('gives an experiment in parts', async () => {
    const id = '0b0e7b1c-0000-4000-8000-000000000001';
    const trials = [0, 1, 2, 5, 9].map((number): RecordedTrial => ({
      number,
      status: number === 2 ? 'errored' : 'finished',
      assignment: { x: number },
      iterations: 1,
      lastScore: -number,
    }));
    await world.store.experiments.save(id, {
      name: 'n',
      folder: '/',
      metric: 'm',
      mode: 'min',
      status: 'running',
      startedAtMs: 1,
      trials,
    });
    const part = async (after: number): Promise<[number[], number | undefined]> => {
      const { trials: told, nextAfter } = (await world.store.experiments.find(id, after, 2))!;
      return [told.map(({ number }) => number), nextAfter];
    };
    expect([await part(-1), await part(1), await part(5)]).toEqual([
      [[0, 1], 1],
      [[2, 5], 5],
      [[9], undefined],
    ]);
    const [summary] = await world.store.experiments.summaries(3);
    expect(summary).toMatchObject({
      trialCount: 5,
      counts: { errored: 1, finished: 4 },
      best: { number: 9, score: -9 },
      trials: [],
    });
    expect(await world.store.experiments.find(id.replace(/1$/, '2'), -1, 2)).toBeUndefined();
  });

  it('tells the process of an experiment that it, or a trial, is wished to end, and no later process', async () => {
    const id = '0b0e7b1c-0000-4000-8000-000000000001';
    const { experiments } = world.store;
    const trial = (number: number, status: RecordedTrial['status']): RecordedTrial => ({
      number,
      status,
      assignment: {},
      iterations: 0,
    });
    const update: ExperimentUpdate = {
      name: 'n',
      folder: '/',
      status: 'running',
      startedAtMs: 1,
      trials: [trial(0, 'finished'), trial(1, 'running'), trial(2, 'pending')],
    };
    const none = { stop: false, stopTrials: [] };
    expect(await experiments.wishStop(id)).toBe('unknown');
    expect(await experiments.save(id, update)).toEqual(none);
    expect(await experiments.wishTrialStop(id, 7)).toBe('unknown');
    expect(await experiments.wishTrialStop(id, 0)).toBe('over');
    expect(await experiments.wishTrialStop(id, 1)).toBe('wished');
    expect(await experiments.wishTrialStop(id, 2)).toBe('wished');
    await world.reopen();
    const again = { ...update, trials: [] };
    expect(await world.store.experiments.save(id, again)).toEqual({ stop: false, stopTrials: [1, 2] });
    const ended = { ...update, trials: [trial(1, 'finished')] };
    expect(await world.store.experiments.save(id, ended)).toEqual({ stop: false, stopTrials: [2] });
    expect(await world.store.experiments.wishStop(id)).toBe('wished');
    expect((await world.store.experiments.summaries(1))[0]).toMatchObject({ isStopWished: true });
    expect(await world.store.experiments.save(id, again)).toEqual({ stop: true, stopTrials: [2] });
    // The process is gone, and another goes on with it.
    expect(await world.store.experiments.save(id, { ...again, startedAtMs: 2 })).toEqual(none);
    expect((await world.store.experiments.summaries(1))[0]).not.toHaveProperty('isStopWished');
    await world.store.experiments.save(id, { ...again, startedAtMs: 2, status: 'stopped', endedAtMs: 3 });
    expect(await world.store.experiments.wishStop(id)).toBe('over');
    expect(await world.store.experiments.wishTrialStop(id, 2)).toBe('over');
  });

  it('takes an experiment with all its trials or not at all', async () => {
    const id = '0b0e7b1c-0000-4000-8000-000000000001';
    const update: ExperimentUpdate = {
      name: 'n',
      folder: '/',
      status: 'running',
      startedAtMs: 1,
      trials: [],
    };
    const broken = { number: null, status: 'running', assignment: {}, iterations: 0 };
    await expect(
      world.store.experiments.save(id, { ...update, trials: [broken as unknown as RecordedTrial] }),
    ).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(`Experiment ${id} cannot be recorded`) as string,
    });
    expect(await world.store.experiments.latest(10, 10)).toEqual([]);
  });
}
