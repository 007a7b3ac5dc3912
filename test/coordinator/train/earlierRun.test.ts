import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { fromItems } from '../../../coordinator/data/fromMemory.ts';
import { GBDTTrainer } from '../../../coordinator/train/gbdt/gbdtTrainer.ts';
import { DataParallelTrainer } from '../../../coordinator/train/neural/dataParallelTrainer.ts';
import { NeuralTrainer } from '../../../coordinator/train/neural/neuralTrainer.ts';
import { lastCheckpoint } from '../../../coordinator/train/record/earlierRun.ts';
import { scratchFolder } from '../data/support/scratch.ts';

const path = scratchFolder();
const world = { openCluster: () => expect.unreachable(), now: () => 0 };
const rows = fromItems([{ x: 1, y: 0 }]);

const trainers = {
  trees: (runConfig: object) =>
    new GBDTTrainer({ datasets: { train: rows }, labelColumn: 'y', runConfig }, world),
  nets: (runConfig: object) => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    const datasets = { train: rows };
    return new NeuralTrainer(
      { datasets, model, labelColumn: 'y', loss: 'meanSquaredError', runConfig },
      world,
    );
  },
  loops: (runConfig: object) =>
    new DataParallelTrainer({ trainLoopPerWorker: () => Promise.resolve(), runConfig }, world),
};

describe.each(Object.entries(trainers))('an earlier run of the name, with %s', (kind, trainerOf) => {
  it.each(['finished', 'stopped'])(
    'that is %s is refused before anything is started or changed',
    async (status) => {
      const name = `${kind}-${status}`;
      const result = JSON.stringify({ status });
      mkdirSync(path(`${name}/checkpoints/12`), { recursive: true });
      writeFileSync(path(`${name}/result.json`), result);
      writeFileSync(path(`${name}/checkpoints/12/model.json`), '{}');
      const before = readdirSync(path(name), { recursive: true });
      const message: unknown = expect.stringContaining(
        status === 'finished'
          ? `${path(name)} holds a finished run, choose another runConfig.name`
          : `go on with it by resumeFromCheckpoint: ${path(name)}/checkpoints/12 (tabgrad train --resume)`,
      );
      const trainer = trainerOf({ name, storagePath: path('') });
      await expect(trainer.fit()).rejects.toMatchObject({ code: 'RUN_FOLDER_TAKEN', message });
      expect(readdirSync(path(name), { recursive: true })).toEqual(before);
      expect(readFileSync(path(`${name}/result.json`), 'utf8')).toBe(result);
    },
  );
});

it('a run that failed before its first checkpoint does not keep another one out', async () => {
  mkdirSync(path('failed'), { recursive: true });
  writeFileSync(path('failed/result.json'), '{ "status": "failed" }');
  const opened = new Error('opened');
  const openCluster = () => Promise.reject(opened);
  const { options } = trainers.trees({ name: 'failed', storagePath: path('') });
  await expect(new GBDTTrainer(options, { ...world, openCluster }).fit()).rejects.toBe(opened);
});

it('the last checkpoint is that of the most rounds', async () => {
  for (const name of ['9', '12', '100', '.100.tmp'])
    mkdirSync(path(`rounds/checkpoints/${name}`), { recursive: true });
  expect(await lastCheckpoint(path('rounds'))).toBe(path('rounds/checkpoints/100'));
  expect(await lastCheckpoint(path('none'))).toBeUndefined();
});
