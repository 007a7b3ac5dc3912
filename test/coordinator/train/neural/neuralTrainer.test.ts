import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromItems } from '../../../../coordinator/data/fromMemory.ts';
import { NeuralCheckpoint } from '../../../../coordinator/checkpoint/neuralCheckpoint.ts';
import type { NeuralTrainerOptions } from '../../../../coordinator/train/neural/neuralOptions.ts';
import { NeuralTrainer } from '../../../../coordinator/train/neural/neuralTrainer.ts';
import type { NeuralResult } from '../../../../coordinator/train/neural/netRecording.ts';
import type { NeuralWorld } from '../../../../coordinator/train/neural/netRun.ts';
import { NeuralPredictor } from '../../../../coordinator/predict/neuralPredictor.ts';
import { readLayersModel } from '../../../../coordinator/checkpoint/modelSource.ts';
import { RowOrder } from '../../../../shared/neural/run/rowOrder.ts';
import { ROWS, smallRows } from '../../../client/neural/run/netWorld.ts';
import { localNetWorld } from './localNetWorld.ts';

let world: NeuralWorld;
let folder: string;

beforeAll(async () => {
  world = await localNetWorld();
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-neural-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const { x, y } = smallRows();
const memoryRows = { inputs: { values: x, shape: [4] }, labels: { values: y, shape: [] } };

/** Without dropout, which tfjs draws in another way. */
function denseNet(): tf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.dense({
        name: 'hidden',
        units: 8,
        activation: 'tanh',
        inputShape: [4],
        kernelInitializer: tf.initializers.glorotNormal({ seed: 4 }),
      }),
      tf.layers.dense({
        name: 'out',
        units: 2,
        activation: 'softmax',
        kernelInitializer: tf.initializers.glorotNormal({ seed: 5 }),
      }),
    ],
  });
}

let made = 0;

function options(change: Partial<NeuralTrainerOptions> = {}): NeuralTrainerOptions {
  made += 1;
  return {
    datasets: { train: memoryRows },
    model: denseNet(),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: { name: 'sgd', learningRate: 0.3, momentum: 0.9, nesterov: true },
    globalBatchSize: 30,
    microbatchSize: 10,
    maxSteps: 6,
    reportEverySteps: 1,
    runConfig: { name: `run-${made}`, storagePath: folder, verbose: 0 },
    ...change,
  };
}

const fit = (change: Partial<NeuralTrainerOptions> = {}): Promise<NeuralResult> =>
  new NeuralTrainer(options(change), world).fit();

/** The same steps by tfjs alone: its gradients and its optimizer, on whole batches. */
async function tfjsLosses(model: tf.LayersModel, steps: number): Promise<number[]> {
  const { rows } = { rows: ROWS };
  const dataset = {
    rows,
    shardRows: ROWS,
    inputs: [],
    target: { name: '', shape: [], storage: 'int32', dtype: 'int32', scale: 1 },
    shards: [{ sha256: '', sizeBytes: 1, rows }],
  } as const;
  const optimizer = tf.train.momentum(0.3, 0.9, true);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const order = new RowOrder(dataset, Math.floor(step / 3), 0);
    const picked = Array.from({ length: 30 }, (_, at) => order.at((step % 3) * 30 + at).row);
    const inputs = tf.tensor2d(picked.map((row) => [...x.subarray(4 * row, 4 * row + 4)]));
    const labels = tf.oneHot(
      tf.tensor1d(
        picked.map((row) => y[row]!),
        'int32',
      ),
      2,
    );
    const loss = optimizer.minimize(
      () => tf.metrics.categoricalCrossentropy(labels, model.apply(inputs) as tf.Tensor).mean<tf.Scalar>(),
      true,
      model.trainableWeights.map((weight) => weight.read() as tf.Variable),
    );
    losses.push(loss!.dataSync()[0]!);
  }
  return Promise.resolve(losses);
}

describe('NeuralTrainer', () => {
  it('has the losses and weights of tfjs for the same first weights and batches', async () => {
    const model = denseNet();
    const result = await fit({ model });
    const losses = await tfjsLosses(model, 6);
    const own = result.metricsTable.map((row) => row['train-loss']!);
    own.forEach((loss, step) => expect(Math.abs(loss - losses[step]!)).toBeLessThan(2e-6));
    const trained = await loadInTfjs(result.checkpoint.path);
    trained.weights.forEach((weight, at) => {
      const [a, b] = [weight.read().dataSync(), model.weights[at]!.read().dataSync()];
      a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(2e-6));
    });
  });

  it('leaves what a run leaves: result, progress, and a checkpoint of model, optimizer and facts', async () => {
    const result = await fit({ datasets: { train: memoryRows, valid: memoryRows } });
    const record = JSON.parse(await readFile(join(result.path, 'result.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(record).toMatchObject({
      status: 'finished',
      rounds: 6,
      checkpoint: 'checkpoints/6',
      datasetRows: { train: ROWS, valid: ROWS },
    });
    const lines = (await readFile(join(result.path, 'progress.jsonl'), 'utf8')).trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(JSON.parse(lines[2]!)).toMatchObject({
      round: 2,
      metrics: { epoch: 1, 'valid-accuracy': expect.any(Number) as number },
    });
    const net = new NeuralCheckpoint(result.checkpoint.path).loadNet();
    expect(net.state.step).toBe(6);
    expect(net.state.optimizer.map((array) => [...array.keys()])).toEqual([
      ['hidden/kernel', 'hidden/bias', 'out/kernel', 'out/bias'],
    ]);
  });

  it('resumes from a checkpoint as if it had not been interrupted', async () => {
    const model = denseNet();
    const whole = await fit({ model });
    const half = await fit({ model, maxSteps: 3 });
    const resumed = await fit({ model, resumeFromCheckpoint: half.checkpoint });
    const weights = (path: string): number[] =>
      [...new NeuralCheckpoint(path).loadNet().state.weights.values()].flatMap(({ values }) => [...values]);
    expect(weights(resumed.checkpoint.path)).toEqual(weights(whole.checkpoint.path));
    await expect(fit({ model, maxSteps: 3, resumeFromCheckpoint: half.checkpoint })).rejects.toMatchObject({
      code: 'TRAIN_ARGUMENT',
    });
  });

  it('resumes local steps from an outer step with the same bits, outer velocity included', async () => {
    const model = denseNet();
    const localSteps = { steps: 3 };
    const whole = await fit({ model, localSteps });
    const half = await fit({ model, localSteps, maxSteps: 3 });
    expect(half.checkpoint.loadNet().state.velocity?.size).toBeGreaterThan(0);
    const resumed = await fit({ model, localSteps, resumeFromCheckpoint: half.checkpoint });
    expect(resumed.checkpoint.loadNet().state).toEqual(whole.checkpoint.loadNet().state);
  });

  it.each([
    [{ localSteps: { steps: 0 } }, 'localSteps.steps'],
    [{ localSteps: { steps: 2, outerLearningRate: 0 } }, 'localSteps.outerLearningRate'],
    [{ localSteps: { steps: 2, outerMomentum: 1 } }, 'localSteps.outerMomentum'],
    [{ localSteps: { steps: 2 }, syncBatchNorm: true }, 'syncBatchNorm'],
    [{ localSteps: { steps: 2 }, profile: true }, 'profile'],
    [
      { localSteps: { steps: 2 }, runConfig: { checkpointConfig: { checkpointFrequency: 3 } } },
      'runConfig.checkpointConfig.checkpointFrequency',
    ],
  ])('refuses local steps as in %j, naming %s', (change, field) => {
    const make = (): NeuralTrainer => new NeuralTrainer(options(change), world);
    expect(make).toThrow(expect.objectContaining({ code: 'TRAIN_ARGUMENT', place: { field } }));
  });

  it('predicts batches as tfjs does, with the columns and the scale of the training', async () => {
    const bytes = Array.from(x, (value) => Math.round((value + 1) * 127));
    const pixels = Array.from({ length: ROWS }, (_, row) => bytes.slice(4 * row, 4 * row + 4));
    const trained = await fit({
      datasets: { train: fromItems(pixels.map((four, row) => ({ four, y: y[row]!, note: row }))) },
      labelColumn: 'y',
      featureColumns: ['four'],
      inputScale: 1 / 127,
      inputOffset: -1,
      maxSteps: 2,
    });
    // More rows than are computed at a time.
    const batch = { note: [...pixels.keys()], four: pixels };
    const predictor = new NeuralPredictor(trained.checkpoint, { keepColumns: ['note'] });
    const predicted = await predictor.call(batch);
    expect(Object.keys(predicted)).toEqual(['note', 'predictions_0', 'predictions_1']);
    const model = await loadInTfjs(trained.checkpoint.path);
    const inputs = tf.tensor2d(pixels.map((four) => four.map((byte) => byte / 127 - 1)));
    const expected = (model.predict(inputs) as tf.Tensor).dataSync();
    for (let row = 0; row < ROWS; row++) {
      for (const output of [0, 1]) {
        const own = predicted[`predictions_${output}`]![row] as number;
        expect(Math.abs(own - expected[2 * row + output]!)).toBeLessThan(1e-6);
      }
    }
    await expect(predictor.call({ four: [[1, 2, 3]], note: [0] })).rejects.toThrow(/have 3 values.*takes 4/);
    await expect(predictor.call({ for: pixels, note: batch.note })).rejects.toThrow(/No column "four"/);
    await predictor.close();
  });

  it('learns from tables: scalar columns, lists, and bytes with a scale', async () => {
    const rows = Array.from({ length: ROWS }, (_, row) => {
      const [a, b, c, d] = [...x.subarray(4 * row, 4 * row + 4)];
      return { a, b, pair: [c, d], y: y[row]! };
    });
    const model = denseNet();
    const table = await fit({ model, datasets: { train: fromItems(rows) }, labelColumn: 'y' });
    const memory = await fit({ model });
    expect(table.metrics['train-loss']).toBe(memory.metrics['train-loss']);
    const bytes = Uint8Array.from(x, (value) => Math.round((value + 1) * 127));
    const scaled = await fit({
      model,
      inputScale: 1 / 127,
      datasets: { train: { inputs: { values: bytes, shape: [4] }, labels: memoryRows.labels } },
    });
    const floats = Float32Array.from(bytes, (value) => value * (1 / 127));
    const plain = await fit({
      model,
      datasets: { train: { inputs: { values: floats, shape: [4] }, labels: memoryRows.labels } },
    });
    expect(scaled.metrics['train-loss']).toBe(plain.metrics['train-loss']);
  });

  it.each([
    [
      'another shape',
      { inputs: { values: x, shape: [2] }, labels: memoryRows.labels },
      /"hidden_input" has rows of shape \[2\]; the model takes \[4\]/,
    ],
    [
      'labels out of range',
      { ...memoryRows, labels: { values: y.map((value, row) => (row === 7 ? 2 : value)), shape: [] } },
      /row 7: column "labels" \(labels\) is 2; expected a class from 0 to 1/,
    ],
    [
      'a value that is not finite',
      { ...memoryRows, inputs: { values: x.map((value, at) => (at === 9 ? NaN : value)), shape: [4] } },
      /row 2: column "hidden_input" .* is NaN; expected a finite number/,
    ],
    [
      'fewer labels than rows',
      { ...memoryRows, labels: { values: y.slice(1), shape: [] } },
      /"labels" has 89 values, which are no 90 rows/,
    ],
  ])('refuses data of %s before any worker is asked', async (_what, train, message) => {
    await expect(fit({ datasets: { train } })).rejects.toThrow(message);
    await expect(fit({ datasets: { train } })).rejects.toMatchObject({ code: 'NEURAL_DATA_MISMATCH' });
  });

  it('names row and column of a table that does not fit', async () => {
    const rows = [
      { a: [1, 2, 3, 4], y: 0 },
      { a: [1, 2, 3], y: 1 },
    ];
    await expect(fit({ datasets: { train: fromItems(rows) }, labelColumn: 'y' })).rejects.toThrow(
      /row 1: a has 3 values; "hidden_input" takes 4/,
    );
  });

  it('names the tensor of a checkpoint of another model, or one that was cut short', async () => {
    const { checkpoint } = await fit({ maxSteps: 1 });
    const other = tf.sequential({
      layers: [
        tf.layers.dense({ name: 'hidden', units: 3, inputShape: [4] }),
        tf.layers.dense({ name: 'out', units: 2 }),
      ],
    });
    await expect(fit({ model: other, resumeFromCheckpoint: checkpoint })).rejects.toThrow(
      /tensor "hidden\/kernel" has shape \[4, 8\]; the model expects \[4, 3\]/,
    );
    const optimizer = join(checkpoint.path, 'optimizer.safetensors');
    await truncate(optimizer, (await stat(optimizer)).size - 4);
    await expect(fit({ resumeFromCheckpoint: checkpoint })).rejects.toMatchObject({
      code: 'NEURAL_WEIGHTS_MISMATCH',
      message: expect.stringMatching(/cut short in tensor "optimizer\/0\/out\/bias"/) as string,
    });
    await truncate(join(checkpoint.path, 'weights.bin'), 100);
    await expect(fit({ resumeFromCheckpoint: checkpoint })).rejects.toThrow(
      /cut short: tensor "hidden\/kernel" ends at byte 128, the files have 100/,
    );
    await writeFile(join(checkpoint.path, 'model.json'), '{"modelTopology":');
    await expect(fit({ resumeFromCheckpoint: checkpoint })).rejects.toMatchObject({
      code: 'NEURAL_MODEL_INVALID',
    });
  });

  it.each([
    [
      'an option that it does not know',
      { numEpoch: 1 },
      /numEpoch is not an option; did you mean numEpochs\?/,
    ],
    ['an unknown loss', { loss: 'hinge' }, /loss is "hinge"; expected one of/],
    ['both lengths', { numEpochs: 1 }, /maxSteps and numEpochs exclude each other/],
    [
      'a momentum of Adam',
      { optimizer: { name: 'adam', momentum: 0.9 } },
      /optimizer.momentum is not an option/,
    ],
  ])('refuses %s', (_what, change, message) => {
    expect(() => new NeuralTrainer(options(change as object), world)).toThrow(message);
  });

  it('trains a layer that only tfjs knows, and says what that costs', async () => {
    const warnings: string[] = [];
    const model = tf.sequential({
      layers: [
        tf.layers.reshape({ targetShape: [4, 1], inputShape: [4] }),
        tf.layers.lstm({ name: 'slide', units: 3 }),
        tf.layers.dense({ units: 2, activation: 'softmax' }),
      ],
    });
    const result = await fit({
      model,
      runConfig: {
        name: 'fallback',
        storagePath: folder,
        callbacks: [{ onWarning: (text) => warnings.push(text) }],
      },
    });
    expect(warnings[0]).toMatch(/does not know layer "slide" \(LSTM: .*autodiff.*6 to 200 times as long/);
    expect(result.metrics['train-loss']).toBeGreaterThan(0);
  });
});

/** As a reader without this package would: model.json and the weights that its manifest names. */
async function loadInTfjs(path: string): Promise<tf.LayersModel> {
  const file = JSON.parse(await readFile(join(path, 'model.json'), 'utf8')) as {
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  };
  const [group] = file.weightsManifest;
  const bytes = await readFile(join(path, group!.paths[0]!));
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: file.modelTopology,
      weightSpecs: group!.weights,
      weightData: new Uint8Array(bytes).buffer,
    }),
  );
}

describe('A folder of tfjs', () => {
  it('is read as a model, weights and all', async () => {
    const model = denseNet();
    const { checkpoint } = await fit({ model, maxSteps: 1 });
    const { weights } = readLayersModel(checkpoint.path);
    expect([...weights!.keys()]).toEqual(['hidden/kernel', 'hidden/bias', 'out/kernel', 'out/bias']);
    const again = await fit({
      model: checkpoint.path,
      maxSteps: 1,
      optimizer: { name: 'sgd', learningRate: 1e-12 },
    });
    const after = readLayersModel(again.checkpoint.path).weights!;
    expect(after.get('out/kernel')!.values).toEqual(weights!.get('out/kernel')!.values);
  });
});
