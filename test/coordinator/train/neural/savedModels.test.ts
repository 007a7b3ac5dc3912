// Models as people save them: by browsers, by tensorflowjs_converter with quantized weights, by Keras 3. What they give is
// compared with tfjs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NeuralTrainer } from '../../../../coordinator/train/neural/neuralTrainer.ts';
import type { NeuralResult } from '../../../../coordinator/train/neural/netRecording.ts';
import type { NeuralWorld } from '../../../../coordinator/train/neural/netRun.ts';
import type { NeuralTrainerOptions } from '../../../../coordinator/train/neural/neuralOptions.ts';
import { openModel } from '../../../../coordinator/checkpoint/modelSource.ts';
import { NeuralPredictor } from '../../../../coordinator/predict/neuralPredictor.ts';
import { readLayersFolder, checkedLayersFiles } from '../../../../coordinator/checkpoint/layersFolder.ts';
import { Checkpoint } from '../../../../coordinator/checkpoint/checkpoint.ts';
import { loadTfjsNet } from '../../../../shared/neural/predict/tfjsNet.ts';
import { keras3Functional, keras3Sequential } from './keras3Models.ts';
import { compiledNetWorld, localNetWorld } from './localNetWorld.ts';
import { loadFolder, quantizedAs, saveFolder } from './savedFolders.ts';

const { layers } = tf;
const ROWS = 6;
const folders: string[] = [];
let world: NeuralWorld;
let results: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  tf.enableProdMode();
  world = await localNetWorld();
  results = mkdtempSync(join(tmpdir(), 'tabgrad-saved-runs-'));
  folders.push(results);
});
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

async function saved(...[model, as]: Parameters<typeof saveFolder>): Promise<string> {
  const folder = await saveFolder(model, as);
  folders.push(folder);
  return folder;
}

const small = (): tf.Sequential =>
  tf.sequential({
    layers: [
      layers.dense({ units: 6, activation: 'relu', inputShape: [4] }),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
const values = Float32Array.from({ length: 4 * ROWS }, (_, i) => Math.sin(i));
const rows = Array.from({ length: ROWS }, (_, row) => values.subarray(4 * row, 4 * row + 4));

async function expectPredictions(folder: string, model: tf.LayersModel): Promise<void> {
  const predictor = new NeuralPredictor(folder);
  const found = await predictor.call({ x: rows });
  const wanted = (model.predict(tf.tensor(values, [ROWS, 4])) as tf.Tensor2D).arraySync();
  wanted.forEach((row, at) =>
    row.forEach((value, column) => expect(found[`predictions_${column}`]![at]).toBeCloseTo(value, 5)),
  );
  await predictor.close();
}

let runs = 0;

const fit = (change: Partial<NeuralTrainerOptions>, given: NeuralWorld = world): Promise<NeuralResult> =>
  new NeuralTrainer(
    {
      model: small(),
      datasets: {
        train: {
          inputs: { values, shape: [4] },
          labels: { values: Int32Array.from({ length: ROWS }, (_, row) => row % 3), shape: [] },
        },
      },
      loss: 'sparseCategoricalCrossentropy',
      globalBatchSize: ROWS,
      maxSteps: 2,
      reportEverySteps: 1,
      ...change,
      runConfig: { name: `saved-${(runs += 1)}`, storagePath: results, verbose: 0, ...change.runConfig },
    },
    given,
  ).fit();

describe('The file of weights', () => {
  it.each(['m.weights.bin', 'my model (1).weights.bin', 'modèle.bin'])(
    'is found where tfjs writes "./%s", to predict and to serve',
    async (file) => {
      const model = small();
      const folder = await saved(model, { file, path: `./${file}` });
      await expectPredictions(folder, model);
      const checkpoint = new Checkpoint(folder);
      const files = checkedLayersFiles(readLayersFolder(checkpoint), checkpoint);
      expect(files.weights.map(({ length }) => length)).toEqual([4 * model.countParams()]);
    },
  );

  it.each(['../m.bin', '/etc/m.bin', './../m.bin', 'a/m.bin', 'a\\m.bin', '..', '.', './', '', '././m.bin'])(
    'is not looked for at %j',
    async (path) => {
      const folder = await saved(small(), { file: 'm.bin', path });
      const place = 'weightsManifest.0.paths.0: expected the name of a file beside model.json';
      expect(() => new NeuralPredictor(folder)).toThrow(place);
      await expect(openModel(folder, 0)).rejects.toMatchObject({ code: 'NEURAL_MODEL_INVALID' });
      expect(() => readLayersFolder(new Checkpoint(folder))).toThrow(
        expect.objectContaining({
          code: 'CHECKPOINT_INVALID',
          message: expect.stringContaining(place) as string,
        }),
      );
    },
  );
});

describe('Weights that are quantized', () => {
  it.each(['uint8', 'uint16', 'float16'] as const)(
    'to %s are those that tfjs makes of them',
    async (dtype) => {
      const folder = await saved(small(), { weight: quantizedAs(dtype) });
      const model = await loadFolder(folder);
      const { weights } = await openModel(folder, 0);
      for (const weight of model.weights)
        expect(weights.get(weight.originalName)!.values).toEqual(weight.read().dataSync());
      expect(weights.get(model.weights[0]!.originalName)!.values.some((value) => value !== 0)).toBe(true);
      await expectPredictions(folder, model);
    },
  );

  it('are refused where their bytes, their form or their names do not fit', async () => {
    const cut = await saved(small(), {
      weight: (all, entry) => {
        const { bytes, entry: told } = quantizedAs('uint16')(all, entry);
        return { bytes: bytes.subarray(1), entry: told };
      },
    });
    expect(() => new NeuralPredictor(cut)).toThrow(/cut short/);
    const named = await saved(small(), {
      weight: (all, entry) => ({
        bytes: new Uint8Array(all.buffer),
        entry: { ...entry, name: 'same', shape: [all.length] },
      }),
    });
    expect(() => new NeuralPredictor(named)).toThrow(/names tensor "same" twice/);
    const strange = await saved(small(), {
      weight: (all, entry) => ({
        bytes: new Uint8Array(all.buffer),
        entry: { ...entry, quantization: { dtype: 'uint8', scale: null } as never },
      }),
    });
    expect(() => new NeuralPredictor(strange)).toThrow(/weightsManifest.0.weights.0.quantization/);
  });
});

describe.each([
  ['a Sequential', keras3Sequential],
  ['a functional model with a nested one', keras3Functional],
] as const)('%s of Keras 3', (_what, make) => {
  it('is what its layers say, and its checkpoint loads in tfjs and is served', async () => {
    const { topology, same } = make();
    const model = same();
    const opened = await openModel(topology, 0);
    expect(opened.unsupported).toBeUndefined();
    expect(new Map([...opened.weights].map(([name, { shape }]) => [name, shape]))).toEqual(
      new Map(model.weights.map(({ originalName, shape }) => [originalName, shape])),
    );
    const { checkpoint } = await fit({ model: topology });
    const loaded = await loadFolder(checkpoint.path);
    await expectPredictions(checkpoint.path, loaded);
    // The oracle has the layers as tfjs builds them, with the trained weights.
    model.setWeights(
      model.weights.map(({ originalName }) =>
        loaded.weights.find((one) => one.originalName === originalName)!.read(),
      ),
    );
    await expectPredictions(checkpoint.path, model);
    const net = await loadTfjsNet(tf, checkedLayersFiles(readLayersFolder(checkpoint), checkpoint));
    expect(net.facts.inputs.map(({ shape }) => shape)).toEqual([[4]]);
  });
});

it('A model that is served keeps the names of its inputs, twice in a process', async () => {
  const x = tf.input({ shape: [4], name: 'served' });
  const model = tf.model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(x) as tf.SymbolicTensor });
  const checkpoint = new Checkpoint(await saved(model));
  const files = checkedLayersFiles(readLayersFolder(checkpoint), checkpoint);
  for (let time = 0; time < 2; time += 1)
    expect((await loadTfjsNet(tf, files)).facts.inputs.map(({ name }) => name)).toEqual(['served']);
});

describe('Inputs of open size', () => {
  const images = (): tf.LayersModel => {
    const x = tf.input({ shape: [null, null, 1], name: 'image' });
    const pooled = layers
      .globalAveragePooling2d({})
      .apply(layers.conv2d({ filters: 3, kernelSize: 2, name: 'seen' }).apply(x));
    const head = layers.dense({ units: 3, activation: 'softmax', name: 'head' }).apply(pooled);
    return tf.model({ inputs: x, outputs: head as tf.SymbolicTensor });
  };
  const rowsOf = (shape: number[]): NeuralTrainerOptions['datasets'] => ({
    train: {
      inputs: { image: { values: values.slice(0, 4 * ROWS), shape } },
      labels: { values: Int32Array.from({ length: ROWS }, (_, row) => row % 3), shape: [] },
    },
  });

  it('are those of the data, and the checkpoint takes any size again', async () => {
    const model = images();
    const { unsupported, outputShape } = await openModel(model, 0, () => [2, 2, 1]);
    expect({ unsupported, outputShape }).toEqual({ unsupported: undefined, outputShape: [3] });
    const { metricsTable, checkpoint } = await fit({
      model,
      datasets: rowsOf([2, 2, 1]),
      optimizer: { name: 'sgd', learningRate: 0.1 },
    });
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' });
    const labels = tf.tensor(
      Float32Array.from({ length: ROWS }, (_, row) => row % 3),
      [ROWS, 1],
    );
    const loss = (await model.trainOnBatch(tf.tensor(values, [ROWS, 2, 2, 1]), labels)) as number;
    expect(metricsTable[0]!['train-loss']).toBeCloseTo(loss, 4);
    expect((await loadFolder(checkpoint.path)).inputs[0]!.shape).toEqual([null, null, null, 1]);
  });

  it('are refused where the data do not fit or do not say', async () => {
    await expect(fit({ model: images(), datasets: rowsOf([2, 2]) })).rejects.toThrow(
      'input "image" is of any size ([any, any, 1]), and its rows are [2, 2]',
    );
    await expect(openModel(images(), 0)).rejects.toMatchObject({ code: 'NEURAL_MODEL_INVALID' });
  });
});

it('Inputs named like what every object has are inputs as others', async () => {
  const x = tf.input({ shape: [4], name: 'constructor' });
  const output = layers.dense({ units: 3, activation: 'softmax' }).apply(x) as tf.SymbolicTensor;
  const labels = { values: Int32Array.from({ length: ROWS }, (_, row) => row % 3), shape: [] };
  const model = tf.model({ inputs: x, outputs: output });
  const compiled = await compiledNetWorld();
  await expect(fit({ model, datasets: { train: { inputs: {}, labels } } }, compiled)).rejects.toMatchObject({
    code: 'NEURAL_DATA_MISMATCH',
    message: 'inputs has no "constructor"; the model takes constructor',
  });
  const inputs = JSON.parse('{"constructor":{}}') as Record<string, object>;
  Object.assign(inputs['constructor']!, { values, shape: [4] });
  const { metricsTable } = await fit(
    { model, datasets: { train: { inputs: inputs as never, labels } } },
    compiled,
  );
  expect(metricsTable[0]!['train-loss']).toBeGreaterThan(0);
});

describe('A live model', () => {
  it('keeps its nested model frozen', async () => {
    const backbone = tf.sequential({ layers: [layers.dense({ units: 5, inputShape: [4], name: 'back' })] });
    const model = tf.sequential({
      layers: [backbone, layers.dense({ units: 3, activation: 'softmax', name: 'head' })],
    });
    backbone.trainable = false;
    const before = new Map(model.weights.map((weight) => [weight.originalName, weight.read().dataSync()]));
    const { checkpoint } = await fit({ model, optimizer: { name: 'sgd', learningRate: 0.5 } });
    const { weights } = checkpoint.loadNet().state;
    expect(weights.get('back/kernel')!.values).toEqual(before.get('back/kernel'));
    expect(weights.get('head/kernel')!.values).not.toEqual(before.get('head/kernel'));
  });

  it('with two weights of one name is refused', async () => {
    const inner = tf.sequential({ layers: [layers.dense({ units: 4, inputShape: [4], name: 'twice' })] });
    const model = tf.sequential({ layers: [inner, layers.dense({ units: 3, name: 'twice' })] });
    await expect(openModel(model, 0)).rejects.toThrow(/two weights named "twice\/kernel"/);
  });

  it('that tfjs has to train keeps the names of its inputs, twice in a process', async () => {
    const [a, b] = [tf.input({ shape: [4], name: 'left' }), tf.input({ shape: [3], name: 'right' })];
    const halves = [
      layers.dense({ units: 4, activation: 'selu' }).apply(a),
      layers.lstm({ units: 4 }).apply(layers.reshape({ targetShape: [3, 1] }).apply(b)),
    ] as tf.SymbolicTensor[];
    const joined = layers.concatenate().apply(halves);
    const output = layers.dense({ units: 3, activation: 'softmax' }).apply(joined) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [a, b], outputs: output });
    for (let time = 0; time < 2; time += 1) {
      const { inputs, unsupported } = await openModel(model, 0);
      expect(unsupported).toBeDefined();
      expect(inputs.map(({ name, shape }) => [name, shape])).toEqual([
        ['left', [4]],
        ['right', [3]],
      ]);
    }
  });

  it('with two outputs is refused before anything starts, and without a warning', async () => {
    const x = tf.input({ shape: [4] });
    const outputs = [2, 3].map((units) => layers.dense({ units }).apply(x) as tf.SymbolicTensor);
    const warnings: string[] = [];
    const idle: NeuralWorld = { ...world, openCluster: () => Promise.reject(new Error('it was started')) };
    const told = { callbacks: [{ onWarning: (text: string) => void warnings.push(text) }] };
    await expect(
      fit({ model: tf.model({ inputs: x, outputs }), runConfig: told }, idle),
    ).rejects.toMatchObject({
      code: 'NEURAL_MODEL_INVALID',
      message: expect.stringContaining('has 2 outputs; expected one') as string,
    });
    expect(warnings).toEqual([]);
  });
});
