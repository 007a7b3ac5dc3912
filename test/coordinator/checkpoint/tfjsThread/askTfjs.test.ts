// An owner's tfjs and the one that tabgrad carries are two copies: models of either are read, and neither changes the other.

import { createRequire } from 'node:module';
import * as ownersTf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openModel } from '../../../../coordinator/checkpoint/modelSource.ts';
import { inspectWithTfjs, tfjsNames } from '../../../../coordinator/checkpoint/tfjsThread/askTfjs.ts';

type Tf = typeof ownersTf;

/** A second copy, with all that it needs in one file. */
const anotherTf = (): Tf => createRequire(import.meta.url)('@tensorflow/tfjs/dist/tf.min.js') as Tf;

function recurrentNet(tf: Tf): ownersTf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.lstm({
        name: 'cells',
        units: 3,
        inputShape: [5, 2],
        biasInitializer: 'ones',
        unitForgetBias: false,
      }),
      tf.layers.dense({ name: 'out', units: 2, activation: 'softmax' }),
    ],
  });
}

function denseNet(tf: Tf): ownersTf.Sequential {
  return tf.sequential({ layers: [tf.layers.dense({ name: 'out', units: 2, inputShape: [4] })] });
}

function topologyOf(model: ownersTf.LayersModel): object {
  const topology = model.toJSON(null, false) as object;
  model.dispose();
  return topology;
}

const weightsOf = (model: ownersTf.LayersModel): Map<string, number[]> =>
  new Map(model.weights.map((weight) => [weight.originalName, [...weight.read().dataSync()]]));

afterEach(() => vi.restoreAllMocks());

describe('a model of an owner', () => {
  it.each(['of the same package', 'of another copy'])('is read with its weights: tfjs %s', async (copy) => {
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const tf = copy === 'of another copy' ? anotherTf() : ownersTf;
    await tf.setBackend('cpu');
    for (const make of [denseNet, recurrentNet]) {
      const model = make(tf);
      const opened = await openModel(model, 0);
      const read = new Map([...opened.weights].map(([name, { values }]) => [name, [...values]]));
      expect(read).toEqual(weightsOf(model));
      // Copies share an engine, and it has each name of a variable once.
      model.dispose();
    }
  });
});

describe('tfjs in its thread', () => {
  it('tells shapes and first weights of a model that only it knows', async () => {
    const topology = topologyOf(recurrentNet(ownersTf));
    const { inputs, outputShape, initial } = await inspectWithTfjs(topology);
    expect(inputs).toMatchObject([{ shape: [5, 2], dtype: 'float32' }]);
    expect(outputShape).toEqual([2]);
    expect([...initial.get('cells/bias')!.values]).toEqual(Array.from({ length: 12 }, () => 1));
    expect(initial.get('cells/kernel')!.shape).toEqual([2, 12]);
  });

  it("leaves the owner's tfjs as it is, and prints nothing", async () => {
    await ownersTf.setBackend('cpu');
    const topology = topologyOf(recurrentNet(ownersTf));
    const before = ownersTf.memory().numTensors;
    const unwanted = [
      vi.spyOn(ownersTf.engine(), 'setBackend'),
      vi.spyOn(console, 'warn'),
      vi.spyOn(console, 'log'),
      vi.spyOn(process.stderr, 'write'),
    ];
    await inspectWithTfjs(topology);
    for (const call of unwanted) expect(call).not.toHaveBeenCalled();
    expect(ownersTf.memory().numTensors).toBe(before);
  });

  it('refuses a topology that it can not build', async () => {
    const topology = { class_name: 'Sequential', config: [{ class_name: 'NoSuchLayer', config: {} }] };
    await expect(inspectWithTfjs(topology)).rejects.toMatchObject({
      code: 'NEURAL_MODEL_INVALID',
      message: expect.stringContaining('NoSuchLayer') as string,
    });
  });

  it('makes no weights that are more than it may, and names the layer', async () => {
    const written = JSON.stringify(topologyOf(recurrentNet(ownersTf)));
    const topology = JSON.parse(written.replace('"units":3', '"units":1048576')) as object;
    const message = expect.stringMatching(
      /more than the 268435456 numbers that tfjs trains: layer ".*" asks for a recurrent_kernel of \[1048576, 4194304\]/,
    ) as string;
    await expect(inspectWithTfjs(topology)).rejects.toMatchObject({ code: 'NEURAL_MODEL_INVALID', message });
    const small = topologyOf(recurrentNet(ownersTf));
    const weights = 2 * 12 + 3 * 12 + 12 + 3 * 2 + 2;
    expect((await inspectWithTfjs(small, weights)).initial.size).toBe(5);
    await expect(inspectWithTfjs(small, weights - 1)).rejects.toThrow(
      /more than the 79 numbers that it comes with: layer "out" asks for a bias of \[2\]/,
    );
  });

  it('tells the names that modules of owners may import, which are those of the package', async () => {
    const names = await tfjsNames();
    expect(names).toEqual(expect.arrayContaining(['variableGrads', 'layers', 'train', 'loadGraphModel']));
    const package_ = Object.keys(ownersTf).filter((name) => name !== 'default');
    expect([...names].sort()).toEqual(package_.sort());
  });
});
