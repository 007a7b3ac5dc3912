import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuiltinSurroundings } from '../../../client/program/builtinSurroundings.ts';
import { NeuralPredictor } from '../../../client/program/neuralPredictor.ts';
import { CarriedCheckpoint } from '../../../shared/program/carriedCheckpoint.ts';
import { makeLayersModels, type LayersModels } from '../../coordinator/serve/layersModels.ts';
import { openNodeGpuAdapter } from '../../setup/nodeGpu.ts';

let models: LayersModels;
beforeAll(async () => void (models = await makeLayersModels()));
afterAll(() => models.remove());

function carried({ checkpoint }: LayersModels['dense']): CarriedCheckpoint {
  const { path: folder } = checkpoint;
  const files = readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))] as const);
  return new CarriedCheckpoint(new Map(files));
}

const nowhere: BuiltinSurroundings = {
  findAdapter: () => Promise.resolve({ missing: 'the system offers no adapter' }),
  end: (reason) => {
    throw new Error(reason);
  },
};

const tensors = {
  rows: 2,
  inputs: [
    { shape: [6, 6, 1], values: Float32Array.from({ length: 72 }, (_, i) => (i % 7) / 3 - 1) },
    { shape: [2], values: Int32Array.of(1, 2, 9, 0) },
  ],
};
const numbers = {
  rows: 3,
  inputs: [{ shape: [4], values: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)) }],
};

/** Two outputs: only tfjs computes such a net. And one that the compiled engine knows. */
const nets = [
  {
    engine: 'tfjs',
    carry: () => carried(models.branched),
    rows: tensors,
    shapes: [[1], [2]],
    oracle: () =>
      tf.tidy(() => {
        const [image, words] = tensors.inputs;
        const given = [tf.tensor(image!.values, [2, 6, 6, 1]), tf.tensor(words!.values, [2, 2], 'int32')];
        return (models.branched.model.predict(given) as tf.Tensor[]).map((output) => [...output.dataSync()]);
      }),
  },
  {
    engine: 'the compiled engine',
    carry: () => carried(models.dense),
    rows: numbers,
    shapes: [[3]],
    oracle: () =>
      tf.tidy(() => {
        const given = tf.tensor(numbers.inputs[0]!.values, [3, 4]);
        return [[...(models.dense.model.predict(given) as tf.Tensor).dataSync()]];
      }),
  },
] as const;

describe.each(nets)('the predictor of a net that $engine computes', ({ carry, rows, shapes, oracle }) => {
  it('predicts on the processor, keeps no tensors of its batches, and tests its health', async () => {
    const predictor = new NeuralPredictor(carry(), { device: 'cpu' });
    await predictor.init(nowhere);
    const kept = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) {
      const outputs = await predictor.predict(rows);
      const expected = oracle();
      expect(outputs.map(({ shape }) => shape)).toEqual(shapes);
      for (const [output, { values }] of outputs.entries())
        for (const [at, value] of values.entries()) expect(value).toBeCloseTo(expected[output]![at]!, 6);
    }
    await predictor.checkHealth();
    expect(tf.memory().numTensors).toBe(kept);
    expect((await predictor.facts()).outputs).toHaveLength(shapes.length);
    await predictor.close();
  });

  it('computes on the adapter that it is given, and ends its thread when the device is lost', async () => {
    const expected = oracle();
    let device: GPUDevice | undefined;
    const adapter = await openNodeGpuAdapter();
    const open = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (wish) => (device = await open(wish));
    let lose: (reason: string) => void;
    const lost = new Promise<string>((resolve) => (lose = resolve));
    const predictor = new NeuralPredictor(carry(), { device: 'webgpu' });
    await predictor.init({ findAdapter: () => Promise.resolve({ adapter }), end: (reason) => lose(reason) });
    const outputs = await predictor.predict(rows);
    for (const [output, { values }] of outputs.entries())
      for (const [at, value] of values.entries()) expect(value).toBeCloseTo(expected[output]![at]!, 5);
    await predictor.checkHealth();
    device!.destroy();
    expect(await lost).toMatch(/^the GPU device was lost: /);
    await tf.setBackend('cpu');
  });

  it('says why where the adapter is not there, before it loads anything', async () => {
    await expect(new NeuralPredictor(carry(), { device: 'webgpu' }).init(nowhere)).rejects.toMatchObject({
      code: 'ADAPTER_MISSING',
      message: "The program's thread has no WebGPU: the system offers no adapter.",
    });
  });
});

it('A net of two outputs is refused where its predictions are to be columns', async () => {
  const predictor = new NeuralPredictor(carried(models.branched));
  const refusal = {
    code: 'NEURAL_MODEL_INVALID',
    message: 'model.json: the model has 2 outputs; expected one',
  };
  await expect(predictor.outputColumns()).rejects.toMatchObject(refusal);
  await expect(predictor.call({ image: [1], words: [1] })).rejects.toMatchObject(refusal);
});

describe.each([
  ['dist/node', /^ownerThread\.js$/, 'dist/vendor'],
  ['dist/deno', /^ownerThread\.js$/, 'dist/vendor'],
  ['dist/page/assets', /^ownerThread\.browser-.*\.js$/, 'dist/page/assets'],
] as const)('the thread of a program in %s', (folder, entry, tfjsFolder) => {
  it('loads tfjs for nets alone: what it imports at once has none of it', () => {
    const first = readdirSync(folder).find((name) => entry.test(name))!;
    const read = new Map<string, string>();
    const visit = (file: string): void => {
      if (read.has(file)) return;
      const text = readFileSync(file, 'utf8');
      read.set(file, text);
      for (const [, next] of text.matchAll(/(?:from|import)\s*["'](\.\.?\/[\w./-]+\.js)["']/g))
        visit(path.join(path.dirname(file), next!));
    };
    visit(path.join(folder, first));
    const isTfjs = (text: string): boolean => text.includes('registerKernel');
    expect([...read].filter(([, text]) => isTfjs(text))).toEqual([]);
    // It is there, for when it is needed.
    const others = readdirSync(tfjsFolder)
      .filter((name) => name.endsWith('.js'))
      .map((name) => path.join(tfjsFolder, name));
    expect(others.some((file) => !read.has(file) && isTfjs(readFileSync(file, 'utf8')))).toBe(true);
  });
});
