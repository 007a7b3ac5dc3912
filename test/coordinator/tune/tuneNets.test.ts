// Tuning nets with everything real: an embedded coordinator, worker processes, trials whose iterations are epochs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  gridSearch,
  NeuralCheckpoint,
  NeuralPredictor,
  NeuralTrainer,
  startCoordinator,
  startLocalWorkers,
  Tuner,
  type ResultGrid,
  type TuneConfig,
  type TuneEvent,
} from '../../../coordinator/index.ts';
import type { TrialResult } from '../../../coordinator/tune/resultGrid.ts';
import { killExperiment } from './fixtures/killedExperiment.ts';
import { EPOCHS, KILLED_EPOCHS, netOptions, rates, STEPS_PER_EPOCH } from './fixtures/moonsExperiment.ts';

let storagePath = '';
beforeAll(() => void (storagePath = mkdtempSync(path.join(tmpdir(), 'tabgrad-tune-nets-'))));
afterAll(() => rmSync(storagePath, { recursive: true }));

const tuneConfig = { metric: 'valid-loss', mode: 'min' } as const;
const iterations = (last: number): number[] => Array.from({ length: last }, (_, epoch) => epoch + 1);

function weightsOf({ checkpoint }: TrialResult): number[] {
  const { state } = (checkpoint as NeuralCheckpoint).loadNet();
  return [...state.weights.values()].flatMap(({ values }) => [...values]);
}

/** What must be the same when an experiment is repeated. */
function repeatable(grid: ResultGrid): object[] {
  return [...grid].map((result) => ({
    params: result.params,
    stopReason: result.stopReason,
    steps: (result.checkpoint as NeuralCheckpoint).net().step,
    weights: weightsOf(result),
    losses: result.metricsTable.map((row) => [row.trainingIteration, row['train-loss'], row['valid-loss']]),
  }));
}

function tune(name: string, space: Record<string, unknown>, change: TuneConfig = {}): Promise<ResultGrid> {
  return new Tuner({
    trainable: new NeuralTrainer(netOptions()),
    paramSpace: space,
    tuneConfig: { ...tuneConfig, ...change },
    runConfig: { name, storagePath, verbose: 0 },
  }).fit();
}

describe('Tuner with nets', () => {
  it('finds the rate that learns, epoch by epoch, on data that was prepared once, and keeps its net', async () => {
    const preparing = new Set<number>();
    const onEvent = (event: TuneEvent): void => {
      if (event.type === 'trial' && event.trial.waiting?.includes('prepares') === true)
        preparing.add(event.trial.index);
    };
    const grid = await new Tuner({
      trainable: new NeuralTrainer(netOptions()),
      paramSpace: rates(1e-5, 0.03),
      tuneConfig: { ...tuneConfig, maxConcurrentTrials: 2 },
      runConfig: { name: 'rates', storagePath, callbacks: [{ onEvent }], verbose: 0 },
    }).fit();
    expect(grid.errors).toEqual([]);
    for (const { metricsTable } of grid)
      expect(metricsTable.map((row) => row.trainingIteration)).toEqual(iterations(EPOCHS));
    const best = grid.getBestResult();
    expect(best.params).toEqual({ 'optimizer.learningRate': 0.03 });
    expect(best.metrics['valid-accuracy']).toBeGreaterThan(0.8);
    expect(grid.get(0)!.metrics['valid-loss']).toBeGreaterThan(best.metrics['valid-loss']! + 0.1);
    expect([...preparing]).toEqual([0]);
    expect(best.checkpoint).toBeInstanceOf(NeuralCheckpoint);
    expect((best.checkpoint as NeuralCheckpoint).net().step).toBe(EPOCHS * STEPS_PER_EPOCH);
    const { inputs, labels } = netOptions().datasets.valid as {
      inputs: { values: Float32Array };
      labels: { values: Int32Array };
    };
    const predictor = new NeuralPredictor(best.checkpoint!);
    const point = (axis: number) =>
      Float32Array.from(labels.values, (_, row) => inputs.values[2 * row + axis]!);
    const { predictions_1 } = await predictor.call({ x: point(0), y: point(1) });
    await predictor.close();
    const right = labels.values.filter(
      (label, row) => label === Number((predictions_1![row] as number) > 0.5),
    );
    expect(right.length / labels.values.length).toBeCloseTo(best.metrics['valid-accuracy']!, 6);
  });

  it('asha ends what does not learn at its rung, with the net of that epoch, however many trials run at once', async () => {
    const space = rates(0.05, 1e-5, 0.02, 2e-5);
    const scheduler = { name: 'asha', maxT: EPOCHS, gracePeriod: 1, reductionFactor: 2 };
    const [alone, together] = [
      await tune('asha-1', space, { scheduler, maxConcurrentTrials: 1 }),
      await tune('asha-2', space, { scheduler, maxConcurrentTrials: 2 }),
    ];
    expect(alone.errors).toEqual([]);
    expect(repeatable(together)).toEqual(repeatable(alone));
    const bad = alone.get(1)!;
    expect(bad.trainingIteration).toBeLessThan(EPOCHS);
    expect((bad.checkpoint as NeuralCheckpoint).net().step).toBe(bad.trainingIteration * STEPS_PER_EPOCH);
    expect(alone.get(0)!.trainingIteration).toBe(EPOCHS);
  });

  it('pbt lets a net go on from the weights of a better one, the same way each time', async () => {
    const space = rates(1e-5, 0.02, 0.03, 0.05);
    const change = {
      seed: 3,
      maxConcurrentTrials: 2,
      scheduler: { name: 'pbt', perturbationInterval: 3, resampleProbability: 0 },
    };
    const grid = await tune('pbt', space, change);
    expect(grid.errors).toEqual([]);
    for (const { metricsTable } of grid)
      expect(metricsTable.map((row) => row.trainingIteration)).toEqual(iterations(EPOCHS));
    // The worst had learned nothing; a generation later it is about as good as the one that it went on from.
    const [before, after] = [2, 3].map((at) => grid.get(0)!.metricsTable[at]!['valid-loss']!) as [
      number,
      number,
    ];
    expect(after).toBeLessThan(before - 0.1);
    expect(grid.get(0)!.params['optimizer.learningRate']).toBeGreaterThan(0.01);
    expect(repeatable(await tune('pbt-again', space, { ...change, maxConcurrentTrials: 1 }))).toEqual(
      repeatable(grid),
    );
  });

  it('goes on from the last epoch after its process was killed', async () => {
    const program = path.join(import.meta.dirname, 'fixtures/moonsExperiment.ts');
    const killed = await killExperiment(program, storagePath, (trial, epoch) => trial === 1 && epoch >= 3);
    expect(killed).toBe('SIGKILL');
    const reports: [number, number][] = [];
    const onEvent = (event: TuneEvent): void => {
      if (event.type === 'report') reports.push([event.trial.index, event.iteration]);
    };
    const trainable = new NeuralTrainer({ ...netOptions(), numEpochs: KILLED_EPOCHS });
    const restored = await Tuner.restore(path.join(storagePath, 'killed'), {
      trainable,
      runConfig: { callbacks: [{ onEvent }], verbose: 0 },
    });
    const grid = await restored.fit();
    expect(reports.every(([trial]) => trial === 1)).toBe(true);
    expect(reports[0]![1]).toBeGreaterThan(3);
    expect(grid.get(1)!.metricsTable.map((row) => row.trainingIteration)).toEqual(iterations(KILLED_EPOCHS));
    const { checkpoint } = await new NeuralTrainer({
      ...netOptions(),
      numEpochs: KILLED_EPOCHS,
      optimizer: { name: 'adam', learningRate: 0.03 },
      runConfig: { name: 'undisturbed', storagePath, verbose: 0 },
    }).fit();
    expect(weightsOf(grid.get(1)!)).toEqual(weightsOf({ checkpoint } as unknown as TrialResult));
  });

  it('moves a trial to another worker, to the same net, when its own is killed', async () => {
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
    const onEvent = (event: TuneEvent): void => {
      if (event.type !== 'report' || event.iteration !== 2 || killed !== undefined) return;
      killed = localWorkers.workers[0]!.pid;
      process.kill(killed, 'SIGKILL');
    };
    try {
      const grid = await new Tuner({
        trainable: new NeuralTrainer({
          ...netOptions(),
          scalingConfig: { numWorkers: 1, url, token: tokens.admin },
        }),
        paramSpace: rates(1e-5, 0.03),
        tuneConfig: { ...tuneConfig, maxConcurrentTrials: 2 },
        runConfig: { name: 'killed-worker', storagePath, callbacks: [{ onEvent }], verbose: 0 },
      }).fit();
      expect(killed).toBeDefined();
      expect(grid.errors).toEqual([]);
      for (const result of grid) {
        expect((result.checkpoint as NeuralCheckpoint).net().step).toBe(EPOCHS * STEPS_PER_EPOCH);
      }
    } finally {
      await localWorkers.stop();
      await coordinator.close();
    }
  });

  it('refuses what no trial can have before anything starts, and ends the one trial whose value is wrong', async () => {
    const make = (space: Record<string, unknown>, change: TuneConfig = {}, more: object = {}) =>
      new Tuner({
        trainable: new NeuralTrainer({ ...netOptions(), ...more }),
        paramSpace: space,
        tuneConfig: { ...tuneConfig, ...change },
      });
    expect(() => make({ optimizer: { learningrate: gridSearch([0.1, 0.2]) } })).toThrow(/learningRate/);
    expect(() => make({ globalBatchSize: gridSearch([8, 16]) }, { scheduler: 'pbt' })).toThrow(
      /paramSpace.globalBatchSize can not be searched by population based training/,
    );
    expect(() => make(rates(0.1), {}, { localSteps: { steps: 4 } })).toThrow(/localSteps can not be tuned/);
    const grid = await tune('partly', { ...rates(0.03), globalBatchSize: gridSearch([16, -1]) });
    expect(grid.errors).toHaveLength(1);
    expect(grid.errors[0]!.error).toMatchObject({
      message: expect.stringContaining('globalBatchSize is -1') as string,
    });
    expect(grid.getBestResult().params).toMatchObject({ globalBatchSize: 16 });
  });
});
