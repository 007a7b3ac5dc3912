// Tuning a trainer with everything real: an embedded coordinator, worker processes, trials on groups of one pool.

import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  GBDTTrainer,
  gridSearch,
  startCoordinator,
  startLocalWorkers,
  Tuner,
  type TuneEvent,
} from '../../../coordinator/index.ts';
import type { RecordedExperiment } from '../../../shared/api/experiment.ts';
import { inProcessWorld } from '../train/inProcessCluster.ts';
import { killExperiment } from './fixtures/killedExperiment.ts';
import { DEPTHS, paramSpace, ROUNDS, trainerOptions } from './fixtures/depthExperiment.ts';

let storagePath = '';
/** Models of separate fits, by depth. */
const models = new Map<number, string>();

beforeAll(async () => {
  storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-tune-workers-'));
  for (const max_depth of DEPTHS) {
    const options = trainerOptions({ name: `alone-${max_depth}`, storagePath });
    const trainer = new GBDTTrainer(
      { ...options, params: { ...options.params, max_depth } },
      inProcessWorld(),
    );
    models.set(max_depth, (await trainer.fit()).checkpoint.modelText());
  }
});
afterAll(() => rmSync(storagePath, { recursive: true }));

const tuneConfig = { metric: 'valid-rmse', mode: 'min' } as const;

describe('Tuner with real workers', () => {
  it('trains three depths side by side: the models of three separate fits, from data that was prepared once', async () => {
    let atWork = 0;
    let most = 0;
    const preparing = new Set<number>();
    const onEvent = (event: TuneEvent): void => {
      if (event.type !== 'trial') return;
      if (event.trial.waiting?.includes('prepares') === true) preparing.add(event.trial.index);
      if (event.trial.status === 'running') most = Math.max(most, ++atWork);
      if (event.trial.status === 'finished') atWork--;
    };
    const grid = await new Tuner({
      trainable: new GBDTTrainer(trainerOptions()),
      paramSpace,
      tuneConfig: { ...tuneConfig, maxConcurrentTrials: 3 },
      runConfig: { name: 'side-by-side', storagePath, callbacks: [{ onEvent }] },
    }).fit();
    expect(grid.errors).toEqual([]);
    for (const result of grid) {
      expect(result.checkpoint?.modelText()).toBe(models.get(result.params['params.max_depth'] as number));
      expect(result.trainingIteration).toBe(ROUNDS);
    }
    expect(grid.getBestResult().params).toEqual({ 'params.max_depth': 4 });
    expect(most).toBe(3);
    expect([...preparing]).toEqual([0]);
  });

  it('goes on after its process was killed, in a folder that was moved since', async () => {
    const program = path.join(import.meta.dirname, 'fixtures/depthExperiment.ts');
    // The first trial is finished, the second is not.
    expect(await killExperiment(program, storagePath, (trial) => trial === 1)).toBe('SIGKILL');
    const moved = path.join(storagePath, 'moved');
    renameSync(path.join(storagePath, 'killed'), moved);
    const reports: [number, number][] = [];
    const onEvent = (event: TuneEvent): void => {
      if (event.type === 'report') reports.push([event.trial.index, event.iteration]);
    };
    const restored = await Tuner.restore(moved, {
      trainable: new GBDTTrainer(trainerOptions()),
      runConfig: { callbacks: [{ onEvent }] },
    });
    const grid = await restored.fit();
    expect(reports.filter(([trial]) => trial === 0)).toEqual([]);
    const [, from] = reports.find(([trial]) => trial === 1) ?? [];
    expect(from).toBeGreaterThan(2);
    expect(grid.length).toBe(3);
    for (const result of grid) {
      expect(result.metricsTable.map((row) => row.trainingIteration)).toEqual(
        Array.from({ length: ROUNDS }, (_, round) => round + 1),
      );
      expect(result.checkpoint?.modelText()).toBe(models.get(result.params['params.max_depth'] as number));
    }
  });

  it('shares a coordinator that is up, says what a trial waits for, and puts more trials on workers that join', async () => {
    const coordinator = await startCoordinator({ port: 0, adminToken: 'secret' });
    const join = (count: number) =>
      startLocalWorkers({
        url: coordinator.url,
        token: coordinator.tokens.local,
        count,
        runtime: 'node',
        device: 'cpu',
      });
    const startedWorkers = [await join(1)];
    const waits: string[] = [];
    let late: Promise<unknown> | undefined;
    try {
      const onEvent = (event: TuneEvent): void => {
        if (event.type !== 'trial' || event.trial.waiting === undefined) return;
        waits.push(event.trial.waiting);
        if (event.trial.waiting.includes('Waiting for'))
          late ??= join(1).then((localWorkers) => startedWorkers.push(localWorkers));
      };
      const options = trainerOptions();
      const trainable = new GBDTTrainer({
        ...options,
        scalingConfig: { numWorkers: 2, url: coordinator.url, token: 'secret' },
      });
      const grid = await new Tuner({
        trainable,
        paramSpace: { params: { max_depth: gridSearch([2, 3]) } },
        tuneConfig,
        runConfig: { name: 'remote', storagePath, callbacks: [{ onEvent }] },
      }).fit();
      await late;
      expect(grid.errors).toEqual([]);
      for (const result of grid) {
        expect(result.checkpoint?.modelText()).toBe(models.get(result.params['params.max_depth'] as number));
      }
      expect(waits.join('\n')).toMatch(/trial 0: Waiting for 1 more worker \(1 of 2 here\)/);
      expect(coordinator.pool.workers()).toHaveLength(2);
      const answer = await fetch(`${coordinator.url}/api/v1/experiments`, {
        headers: { authorization: 'Bearer secret' },
      });
      const { experiments } = (await answer.json()) as { experiments: RecordedExperiment[] };
      expect(experiments).toMatchObject([
        { name: 'remote', metric: 'valid-rmse', status: 'finished', endedAtMs: expect.any(Number) as number },
      ]);
      expect(experiments[0]!.trials).toMatchObject(
        [...grid].map(({ params, metrics, metricsTable }, number) => ({
          number,
          status: 'finished',
          assignment: params,
          iterations: ROUNDS,
          lastScore: metrics['valid-rmse'],
          bestScore: Math.min(...metricsTable.map((row) => row['valid-rmse'] as number)),
        })),
      );
      const runs = await fetch(`${coordinator.url}/api/v1/runs`, {
        headers: { authorization: 'Bearer secret' },
      });
      const ran = ((await runs.json()) as { runs: { runId: string }[] }).runs.map(({ runId }) => runId);
      expect(new Set(experiments[0]!.trials.map(({ runId }) => runId))).toEqual(new Set(ran));
      expect(ran).toHaveLength(2);
    } finally {
      for (const localWorkers of startedWorkers) await localWorkers.stop();
      await coordinator.close();
    }
  });

  it('ends a trial, then the experiment, as is wished at the coordinator, and can be gone on with; a drained worker leaves meanwhile', async () => {
    const coordinator = await startCoordinator({ port: 0 });
    const { url, tokens, pool } = coordinator;
    const localWorkers = await startLocalWorkers({
      url,
      token: tokens.local,
      count: 3,
      runtime: 'node',
      device: 'cpu',
    });
    const ask = async (place: string, method: 'GET' | 'POST' = 'GET'): Promise<unknown> => {
      const response = await fetch(`${url}/api/v1/${place}`, {
        method,
        headers: { authorization: `Bearer ${tokens.admin}` },
        ...(method === 'POST' && { body: '{}' }),
      });
      return response.json();
    };
    const known = async (): Promise<RecordedExperiment | undefined> =>
      ((await ask('experiments')) as { experiments: RecordedExperiment[] }).experiments[0];
    try {
      const options = trainerOptions();
      const trainable = new GBDTTrainer({
        ...options,
        params: { ...options.params, eta: 0.001 },
        numBoostRound: 5_000,
        // Models of so many rounds take long to write.
        runConfig: {},
        scalingConfig: { numWorkers: [1, 2], url, token: tokens.admin },
      });
      const tuner = new Tuner({
        trainable,
        paramSpace: { params: { max_depth: gridSearch([4, 5]) } },
        tuneConfig: { ...tuneConfig, maxConcurrentTrials: 2 },
        runConfig: { name: 'wished', storagePath, verbose: 0 },
      });
      const ended = expect(tuner.fit()).rejects.toMatchObject({
        code: 'ABORTED',
        message: 'Experiment "wished" was called off: a stop was asked for at the coordinator.',
      });
      const trials = async (): Promise<RecordedExperiment['trials']> => (await known())?.trials ?? [];
      const isAtWork = async (): Promise<boolean> =>
        (await trials()).filter(({ iterations }) => iterations > 3).length === 2;
      await expect.poll(isAtWork, { timeout: 60_000 }).toBe(true);
      const { experimentId } = (await known())!;
      // Of the trial with two workers one leaves after the round in flight; the trial goes on.
      const members = pool.workers().filter(({ runId }) => runId !== undefined);
      const { workerId, runId } = members.find((one) =>
        members.some((other) => other !== one && other.runId === one.runId),
      )!;
      await ask(`workers/${workerId}/drain`, 'POST');
      await expect.poll(() => pool.worker(workerId)?.runId, { timeout: 30_000 }).toBeUndefined();
      const before = (await trials()).find((trial) => trial.runId === runId)!;
      await expect
        .poll(async () => (await trials())[before.number]!.iterations > before.iterations, {
          timeout: 30_000,
        })
        .toBe(true);
      expect(pool.worker(workerId)).toMatchObject({ present: true, leaving: 'drained by the owner' });
      await ask(`experiments/${experimentId}/trials/0/stop`, 'POST');
      await expect
        .poll(async () => (await trials())[0], { timeout: 30_000 })
        .toMatchObject({ status: 'finished', stopReason: 'stopped at the coordinator' });
      expect((await trials())[1]!.status).toBe('running');
      await ask(`experiments/${experimentId}/stop`, 'POST');
      await ended;
      expect(await known()).toMatchObject({ status: 'stopped', counts: { finished: 1, pending: 1 } });
      const { curves } = (await ask(`experiments/${experimentId}/curves`)) as {
        curves: { number: number; points: [number, number][] }[];
      };
      for (const { number, points } of curves) {
        const { iterations, lastScore } = (await trials())[number]!;
        expect(points.at(-1)).toEqual([iterations, lastScore]);
      }
      expect(curves.map(({ number }) => number)).toEqual([0, 1]);
      const restored = await Tuner.restore(path.join(storagePath, 'wished'), { trainable });
      const off = new AbortController();
      const again = expect(restored.fit({ signal: off.signal })).rejects.toMatchObject({ code: 'ABORTED' });
      // The wish was about the process before.
      await expect.poll(async () => (await trials())[1]!.status, { timeout: 60_000 }).toBe('running');
      expect((await trials())[0]!.status).toBe('finished');
      off.abort();
      await again;
    } finally {
      await localWorkers.stop();
      await coordinator.close();
    }
  });

  it('goes on with a trial on another worker, to the same model, when its own is killed', async () => {
    const coordinator = await startCoordinator({ port: 0 });
    const { url, tokens } = coordinator;
    const localWorkers = await startLocalWorkers({
      url,
      token: tokens.local,
      count: 2,
      runtime: 'node',
      device: 'cpu',
    });
    let killed: number | undefined;
    try {
      const onEvent = (event: TuneEvent): void => {
        if (event.type !== 'report' || event.iteration !== 5 || killed !== undefined) return;
        killed = localWorkers.workers[0]!.pid;
        process.kill(killed, 'SIGKILL');
      };
      const grid = await new Tuner({
        trainable: new GBDTTrainer({
          ...trainerOptions(),
          scalingConfig: { numWorkers: 1, url, token: tokens.admin },
        }),
        paramSpace: { params: { max_depth: gridSearch([2, 3]) } },
        tuneConfig: { ...tuneConfig, maxConcurrentTrials: 2 },
        runConfig: { name: 'killed-worker', storagePath, callbacks: [{ onEvent }] },
      }).fit();
      expect(killed).toBeDefined();
      expect(coordinator.pool.workers().filter((worker) => worker.present)).toHaveLength(1);
      expect(grid.errors).toEqual([]);
      for (const result of grid) {
        expect(result.checkpoint?.modelText()).toBe(models.get(result.params['params.max_depth'] as number));
      }
    } finally {
      await localWorkers.stop();
      await coordinator.close();
    }
  });

  it('keeps what it had when it is called off, and goes on from the very round', async () => {
    const off = new AbortController();
    const reports: number[] = [];
    const trainable = new GBDTTrainer(trainerOptions());
    const onEvent = (event: TuneEvent): void => {
      if (event.type !== 'report') return;
      reports.push(event.iteration);
      if (event.iteration === 7) off.abort();
    };
    const runConfig = { callbacks: [{ onEvent }] };
    const tuner = new Tuner({
      trainable,
      paramSpace: { params: { max_depth: gridSearch([4]) } },
      tuneConfig,
      runConfig: { ...runConfig, name: 'called-off', storagePath },
    });
    await expect(tuner.fit({ signal: off.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    const restored = await Tuner.restore(path.join(storagePath, 'called-off'), { trainable, runConfig });
    const grid = await restored.fit();
    expect(reports).toEqual(Array.from({ length: ROUNDS }, (_, round) => round + 1));
    expect(grid.getBestResult().checkpoint?.modelText()).toBe(models.get(4));
  });

  it('gives workers to who came first, and says for how many a trial waits', async () => {
    const waits = new Set<string>();
    const began: number[] = [];
    const onEvent = (event: TuneEvent): void => {
      if (event.type !== 'trial') return;
      if (event.trial.waiting !== undefined) waits.add(event.trial.waiting);
      if (event.trial.status === 'running') began.push(event.trial.index);
    };
    const options = trainerOptions();
    // A function from a config to a trainer: trials of one, two and one worker, in a pool that has two.
    const grid = await new Tuner({
      trainable: ({ numWorkers }: { numWorkers: number }) =>
        new GBDTTrainer({ ...options, scalingConfig: { numWorkers, device: 'cpu' } }),
      paramSpace: { numWorkers: gridSearch([1, 2, 1]) },
      tuneConfig: { ...tuneConfig, maxConcurrentTrials: 2 },
      runConfig: { name: 'fair', storagePath, callbacks: [{ onEvent }] },
    }).fit();
    expect(grid.errors).toEqual([]);
    expect(began).toEqual([0, 1, 2]);
    expect([...waits].join('\n')).toMatch(/trial \d waits for [12] workers?; \d (is|are) free/);
    expect(new Set([...grid].map(({ checkpoint }) => checkpoint?.modelText())).size).toBe(1);
  });

  it('pbt lets a bad trainer go on from the checkpoint of a good one, on fewer workers than there are trials', async () => {
    const grid = await new Tuner({
      trainable: new GBDTTrainer({ ...trainerOptions(), numBoostRound: 10 }),
      // Rates that are too small to get anywhere, and good ones.
      paramSpace: { params: { max_depth: 3, eta: gridSearch([0.001, 0.3, 0.002, 0.4]) } },
      tuneConfig: {
        ...tuneConfig,
        seed: 3,
        maxConcurrentTrials: 2,
        scheduler: { name: 'pbt', perturbationInterval: 5, resampleProbability: 0 },
      },
      runConfig: { name: 'pbt', storagePath, verbose: 0 },
    }).fit();
    expect(grid.errors).toEqual([]);
    const models = [...grid].map(({ checkpoint }) => checkpoint!.loadModel());
    expect(models.map((model) => model.trees.length)).toEqual([10, 10, 10, 10]);
    // The worst of the first generation has the first five trees of the best: it went on from there.
    const firstTrees = models.map(({ trees }) => JSON.stringify(trees.slice(0, 5)));
    expect(firstTrees[0]).toBe(firstTrees[3]);
    expect(grid.get(0)?.params['params.eta']).not.toBe(0.001);
    for (const { metricsTable } of grid) {
      expect(metricsTable.map((row) => row.trainingIteration)).toEqual(
        Array.from({ length: 10 }, (_, round) => round + 1),
      );
    }
  });

  it('ends only the trial whose parameters are out of range, and stops a trial at the very round', async () => {
    const grid = await new Tuner({
      trainable: new GBDTTrainer(trainerOptions()),
      paramSpace: { params: { max_depth: gridSearch([0, 3]) } },
      tuneConfig: { ...tuneConfig, maxConcurrentTrials: 1 },
      runConfig: { name: 'partly', storagePath, stop: { trainingIteration: 3 }, verbose: 0 },
    }).fit();
    expect(grid.errors).toHaveLength(1);
    expect(grid.errors[0]?.error?.code).toBe('PARAMETER_OUT_OF_RANGE');
    expect(grid.get(1)).toMatchObject({ trainingIteration: 3, stopReason: 'trainingIteration reached 3' });
    expect(
      readFileSync(path.join(grid.get(1)!.path, 'progress.jsonl'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(3);
    expect(grid.get(1)?.checkpoint?.metadata().rounds).toBe(3);
  });

  it('refuses settings that the trainer does not know before anything starts', () => {
    const make = (space: Record<string, unknown>) =>
      new Tuner({ trainable: new GBDTTrainer(trainerOptions()), paramSpace: space });
    expect(() => make({ max_depth: gridSearch([2, 3]) })).toThrow(/max_depth is not an option/);
    expect(() => make({ params: { max_dpth: gridSearch([2, 3]) } })).toThrow(/did you mean max_depth/);
  });
});
