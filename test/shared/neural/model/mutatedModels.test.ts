// Files of models come from anybody: whatever is changed in them, they are read, or refused with a code, in a moment.

import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { TabgradError } from '../../../../kernels/errors.ts';
import { readCalls } from '../../../../shared/neural/model/layerCalls.ts';
import { readModelJson, readWeights } from '../../../../shared/neural/model/layersFormat.ts';
import { outputKind } from '../../../../shared/neural/model/outputKind.ts';
import { openInputShapes, readGraph } from '../../../../shared/neural/model/readModel.ts';
import { matchWeights, weightsOf } from '../../../../shared/neural/state/namedState.ts';
import { keras3Functional } from '../../../coordinator/train/neural/keras3Models.ts';
import { mutateJson as mutated } from '../../../fuzz/mutateJson.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';

const { layers } = tf;
const MUTANTS = 400;
const MOST_MS = 2_000;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function nestedNet(): tf.LayersModel {
  const inner = tf.sequential({
    layers: [
      layers.conv2d({
        filters: 2,
        kernelSize: 3,
        padding: 'same',
        inputShape: [6, 6, 2],
        activation: 'relu',
      }),
      layers.batchNormalization(),
    ],
  });
  const x = tf.input({ shape: [6, 6, 2] });
  const words = tf.input({ shape: [3], dtype: 'int32' });
  const sum = layers.add().apply([x, inner.apply(x)] as tf.SymbolicTensor[]);
  const image = layers.flatten().apply(layers.maxPooling2d({ poolSize: 2 }).apply(sum));
  const text = layers.flatten().apply(layers.embedding({ inputDim: 5, outputDim: 2 }).apply(words));
  const joined = layers.concatenate().apply([image, text] as tf.SymbolicTensor[]);
  const reshaped = layers.reshape({ targetShape: [2, 12] }).apply(joined);
  const flat = layers.flatten().apply(layers.upSampling2d({}).apply(layers.zeroPadding2d().apply(x)));
  const ends = [layers.flatten().apply(reshaped), layers.dropout({ rate: 0.1 }).apply(flat)];
  const output = layers
    .dense({ units: 3, activation: 'softmax', kernelRegularizer: 'l1l2' })
    .apply(layers.concatenate().apply(ends as tf.SymbolicTensor[]));
  return tf.model({ inputs: [x, words], outputs: output as tf.SymbolicTensor });
}

function readAll(text: string, bytes: Uint8Array): void {
  const { topology, manifest } = readModelJson(text, 'model.json');
  const weights = readWeights(manifest, () => bytes, 'model.json');
  const net = readCalls(topology);
  outputKind(net);
  openInputShapes(net);
  for (const use of ['training', 'predictions'] as const) {
    const read = readGraph(net, use);
    if (read.kind === 'compiled') matchWeights(weightsOf(read.graph), weights, 'model.json');
  }
}

/** Undefined for what was read; the code of what was refused. */
function outcomeOf(text: string, bytes: Uint8Array): string | undefined {
  const before = performance.now();
  try {
    readAll(text, bytes);
    return undefined;
  } catch (error) {
    if (error instanceof TabgradError) return error.code;
    throw new Error(`it threw ${String(error)} for ${text.slice(0, 3000)}`, { cause: error });
  } finally {
    expect(performance.now() - before).toBeLessThan(MOST_MS);
  }
}

describe.each([
  [
    'of tfjs',
    (): object => {
      const model = nestedNet();
      const weights = model.weights.map(({ originalName: name, shape }) => ({
        name,
        shape,
        dtype: 'float32',
      }));
      weights[0] = { ...weights[0]!, quantization: { dtype: 'uint16', scale: 1, min: 0 } } as never;
      return {
        modelTopology: model.toJSON(null, false),
        weightsManifest: [{ paths: ['weights.bin'], weights }],
      };
    },
  ],
  [
    'of Keras 3',
    (): object => ({
      modelTopology: keras3Functional().topology,
      weightsManifest: [
        {
          paths: ['w'],
          weights: [
            { name: 'inner_d/kernel', shape: [4, 4], dtype: 'float32' },
            { name: 'inner_d/bias', shape: [4], dtype: 'float32' },
            { name: 'o/kernel', shape: [4, 3], dtype: 'float32' },
            { name: 'o/bias', shape: [3], dtype: 'float32' },
          ],
        },
      ],
    }),
  ],
] as const)('A model.json %s', (_writer, make) => {
  const bytesOf = (model: object): Uint8Array => {
    const [{ weights }] = (
      model as { weightsManifest: [{ weights: { shape: number[]; quantization?: object }[] }] }
    ).weightsManifest;
    return new Uint8Array(
      weights.reduce(
        (sum, { shape, quantization }) => sum + shape.reduce((a, b) => a * b, quantization ? 2 : 4),
        0,
      ),
    );
  };

  it('is read as it is', () => {
    const model = make();
    expect(outcomeOf(JSON.stringify(model), bytesOf(model))).toBeUndefined();
  });

  it(`is read or refused with a code, changed in ${MUTANTS} ways`, () => {
    const random = seededRandom(5);
    const model = make();
    const bytes = bytesOf(model);
    const refused = new Map<string | undefined, number>();
    for (let mutant = 0; mutant < MUTANTS; mutant += 1) {
      const outcome = outcomeOf(JSON.stringify(mutated(model, random)), bytes);
      refused.set(outcome, (refused.get(outcome) ?? 0) + 1);
    }
    // Many changes matter, and some do not.
    expect(refused.get('NEURAL_MODEL_INVALID')).toBeGreaterThan(MUTANTS / 10);
    expect(refused.get('NEURAL_WEIGHTS_MISMATCH')).toBeGreaterThan(0);
    expect(refused.get(undefined)).toBeGreaterThan(0);
    expect([...refused.keys()].every((code) => code === undefined || code.startsWith('NEURAL_'))).toBe(true);
  });

  it('is refused with a code, cut or with bytes of its text or weights changed', () => {
    const random = seededRandom(6);
    const model = make();
    const [text, bytes] = [JSON.stringify(model), bytesOf(model)];
    for (let mutant = 0; mutant < 100; mutant += 1) {
      const at = Math.floor(random() * text.length);
      outcomeOf(text.slice(0, at), bytes);
      outcomeOf(
        text.slice(0, at) + String.fromCharCode(32 + Math.floor(90 * random())) + text.slice(at + 1),
        bytes,
      );
      expect(outcomeOf(text, bytes.subarray(0, Math.floor(random() * bytes.length)))).toBe(
        'NEURAL_WEIGHTS_MISMATCH',
      );
    }
  });
});
