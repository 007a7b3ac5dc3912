// DataParallelTrainer with real workers of all three runtimes: an owner's loop in tfjs, as text and as a module.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DataParallelTrainer } from '../../coordinator/train/neural/dataParallelTrainer.ts';
import type { DataParallelTrainerOptions } from '../../coordinator/train/neural/loopOptions.ts';
import type { ResultRecord } from '../../coordinator/train/result.ts';
import type { DataParallelContext } from '../../shared/neural/loop/dataParallelLoop.ts';
import { seededRandom } from '../setup/seededRandom.ts';
import { Swarm } from './swarm.ts';

const ROWS = 240;
let swarm: Swarm;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabgrad-loop-'));
  swarm = await Swarm.start();
});
afterEach(() => swarm.dismiss());
afterAll(async () => {
  await swarm.close();
  rmSync(folder, { recursive: true });
});

/** Points of two overlapping rings, to be told apart. */
function rings(): NonNullable<DataParallelTrainerOptions['datasets']> {
  const random = seededRandom(3);
  const labels = Int32Array.from({ length: ROWS }, (_, row) => row % 2);
  const values = new Float32Array(2 * ROWS);
  for (const [row, label] of labels.entries()) {
    const angle = 2 * Math.PI * random();
    const radius = (label === 0 ? 0.4 : 1) + 0.3 * (random() - 0.5);
    values.set([radius * Math.cos(angle), radius * Math.sin(angle)], 2 * row);
  }
  return { train: { point: { values, shape: [2] }, ring: { values: labels, shape: [] } } };
}

async function trainRings(
  config: { epochs: number; rate: number },
  context: DataParallelContext,
): Promise<void> {
  const { tf } = context;
  const kept = context.getCheckpoint();
  const initializer = (seed: number) => tf.initializers.glorotNormal({ seed });
  const model = kept
    ? await kept.loadModel()
    : tf.sequential({
        layers: [
          tf.layers.dense({
            units: 8,
            activation: 'tanh',
            inputShape: [2],
            kernelInitializer: initializer(1),
          }),
          tf.layers.dense({ units: 1, kernelInitializer: initializer(2) }),
        ],
      });
  const weights = model.trainableWeights.map((weight) => weight.read() as ReturnType<typeof tf.variable>);
  const optimizer = tf.train.adam(config.rate);
  const shard = context.getDatasetShard('train');
  const first = ((kept?.state ?? { epoch: 0 }) as { epoch: number }).epoch;
  for (let epoch = first; epoch < config.epochs; epoch += 1) {
    let [loss, hits] = [0, 0];
    for await (const { point, ring } of shard.iterBatches({ batchSize: 16, epoch })) {
      const labels = ring!.toFloat();
      const { value, grads } = tf.variableGrads(() => {
        const logits = (model.apply(point!, { training: true }) as typeof labels).flatten();
        return tf.losses.sigmoidCrossEntropy(labels, logits).asScalar();
      }, weights);
      const logits = (model.predict(point!) as typeof labels).flatten();
      hits += tf.sum(tf.equal(tf.greater(logits, 0), tf.greater(labels, 0.5)).toFloat()).dataSync()[0]!;
      const mean = await context.allReduce(grads);
      optimizer.applyGradients(mean as never);
      loss += (value.dataSync()[0]! * labels.size) / shard.rows;
    }
    const [sums] = await context.allReduce([tf.tensor1d([loss, hits])], 'sum');
    const [lossSum, hitSum] = sums.dataSync();
    const metrics = {
      loss: lossSum! / context.size,
      accuracy: hitSum! / shard.rows / context.size,
      tensors: tf.memory().numTensors,
    };
    await context.report(metrics, { model, state: { epoch: epoch + 1 } });
  }
}

function train(name: string, numWorkers: number, changes: Partial<DataParallelTrainerOptions> = {}) {
  const trainer = new DataParallelTrainer({
    trainLoopPerWorker: trainRings,
    trainLoopConfig: { epochs: 12, rate: 0.1 },
    datasets: rings(),
    scalingConfig: { numWorkers, url: swarm.coordinator.url, token: swarm.coordinator.tokens.admin },
    runConfig: { name, storagePath: folder },
    ...changes,
  });
  return trainer.fit();
}

it('trains in a tab, in Deno and in Node together, and leaves a model that was kept at every report', async () => {
  for (const runtime of ['browser', 'deno', 'node'] as const) await swarm.add(runtime, 'cpu');
  const result = await train('together', 3);
  expect(result.status).toBe('finished');
  expect(result.workers.map(({ runtime }) => runtime).toSorted()).toEqual(['browser', 'deno', 'node']);
  expect(result.metricsTable).toHaveLength(12);
  expect(result.metrics['loss']).toBeLessThan(result.metricsTable[0]!['loss']! * 0.7);
  expect(result.metrics['accuracy']).toBeGreaterThan(0.8);
  expect(result.datasetRows).toEqual({ train: ROWS });
  const checkpoint = result.checkpoint!;
  expect(checkpoint.state).toEqual({ epoch: 12 });
  expect([...checkpoint.files().keys()].toSorted()).toEqual(['model.json', 'state.json', 'weights.bin']);
  const record = JSON.parse(readFileSync(path.join(result.path, 'result.json'), 'utf8')) as ResultRecord;
  expect(record).toMatchObject({ status: 'finished', rounds: 12, checkpoint: 'checkpoints/12' });
}, 120_000);

it('goes on from a checkpoint, as a module with its imports', async () => {
  await swarm.add('node', 'cpu', 2);
  const first = await train('first', 2, { trainLoopConfig: { epochs: 2, rate: 0.1 } });
  const target = { module: 'test/endToEnd/fixtures/ringsLoop.ts', export: 'loop' };
  const resumed = await train('resumed', 2, {
    trainLoopPerWorker: target,
    resumeFromCheckpoint: first.checkpoint!,
    trainLoopConfig: { seen: first.metrics['loss']! },
  });
  expect(resumed.metrics).toMatchObject({ epoch: 2, kernels: 2, versionsAgree: 1 });
}, 120_000);

it('fails with what the loop threw', async () => {
  await swarm.add('node', 'cpu', 1);
  const failed = train('failing', 1, {
    trainLoopPerWorker: () => {
      throw new Error('no luck today');
    },
  });
  await expect(failed).rejects.toThrow(/TRAIN_LOOP_FAILED: trainLoopPerWorker threw: Error: no luck today/);
  const record = JSON.parse(
    readFileSync(path.join(folder, 'failing', 'result.json'), 'utf8'),
  ) as ResultRecord;
  expect(record.status).toBe('failed');
}, 120_000);
