// Neural nets as tfjs and Keras save them: model.json and its weights, predicted with by the compiled engine and by tfjs; and
// safetensors, in which states travel and optimizers are kept.

import * as tf from '@tensorflow/tfjs';
import { readLayersFiles } from '../../shared/neural/model/layersFiles.ts';
import { readModelJson, readWeights } from '../../shared/neural/model/layersFormat.ts';
import { NetPredictor } from '../../shared/neural/predict/netPredictor.ts';
import { filesOf } from '../../shared/neural/predict/readNet.ts';
import { readNetInputs, writeNetInputs } from '../../shared/neural/model/netInputs.ts';
import { loadTfjsNet } from '../../shared/neural/predict/tfjsNet.ts';
import { decodeState, encodeState } from '../../shared/neural/state/namedState.ts';
import { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import { keras3Functional } from '../coordinator/train/neural/keras3Models.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { mutate } from './mutate.ts';
import { mutateJson } from './mutateJson.ts';

const { layers } = tf;
const chain = (x: tf.SymbolicTensor, ...steps: tf.layers.Layer[]): tf.SymbolicTensor =>
  steps.reduce((value, layer) => layer.apply(value) as tf.SymbolicTensor, x);

function imageNet(): tf.LayersModel {
  const x = tf.input({ shape: [6, 6, 2] });
  const conv = layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'relu' });
  const a = chain(x, conv, layers.batchNormalization(), conv);
  const b = chain(layers.add().apply([x, a]) as tf.SymbolicTensor, layers.maxPooling2d({ poolSize: 2 }));
  const wide = layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' });
  const around: [[number, number], [number, number]] = [
    [1, 1],
    [0, 1],
  ];
  const c = chain(b, wide, layers.prelu({ sharedAxes: [1, 2] }), layers.cropping2D({ cropping: around }));
  const d = chain(c, layers.permute({ dims: [3, 1, 2] }), layers.flatten(), layers.dropout({ rate: 0.1 }));
  return tf.model({ inputs: x, outputs: chain(d, layers.dense({ units: 2, activation: 'softmax' })) });
}

function sequenceNet(): tf.LayersModel {
  const each = layers.timeDistributed({ layer: layers.dense({ units: 3 }) });
  const x = tf.input({ shape: [6, 12] });
  const y = chain(x, each, layers.conv1d({ filters: 4, kernelSize: 2 }), layers.globalAveragePooling1d());
  return tf.model({ inputs: x, outputs: chain(y, layers.dense({ units: 2 })) });
}

function recurrentNet(): tf.LayersModel {
  const x = tf.input({ shape: [6, 12] });
  const y = chain(x, layers.bidirectional({ layer: layers.lstm({ units: 2 }), mergeMode: 'concat' }));
  return tf.model({ inputs: x, outputs: chain(y, layers.dense({ units: 2 })) });
}

interface Entry {
  readonly name: string;
  readonly shape: readonly (number | null)[];
}

/** model.json, a byte of zero, and the weights. */
function packed(modelTopology: unknown, weights: readonly Entry[]): Uint8Array {
  const manifest = [
    {
      paths: ['weights.bin'],
      weights: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
    },
  ];
  const count = weights.reduce(
    (sum, { shape }) => sum + shape.reduce<number>((all, size) => all * size!, 1),
    0,
  );
  const text = JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest: manifest });
  const values = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
  return joined(new TextEncoder().encode(text), new Uint8Array(values.buffer));
}

function ofModel(model: tf.LayersModel): Uint8Array {
  const weights = model.weights.map(({ originalName: name, shape }) => ({ name, shape }));
  const bytes = packed(model.toJSON(null, false), weights);
  tf.disposeVariables();
  return bytes;
}

function joined(text: Uint8Array, weights: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length + 1 + weights.length);
  bytes.set(text);
  bytes.set(weights, text.length + 1);
  return bytes;
}

function parts(bytes: Uint8Array): { readonly text: Uint8Array; readonly weights: Uint8Array } {
  const end = bytes.indexOf(0);
  if (end < 0) return { text: bytes, weights: new Uint8Array() };
  return { text: bytes.subarray(0, end), weights: bytes.slice(end + 1) };
}

const ROW = Array.from({ length: 72 }, (_, i) => Math.cos(i));

/** As a predictor opens and asks them, here without a thread for tfjs. */
async function readNet(bytes: Uint8Array): Promise<void> {
  const { text, weights: file } = parts(bytes);
  const modelText = new TextDecoder().decode(text);
  const { topology, manifest } = readModelJson(modelText, 'model.json');
  readLayersFiles(
    new CarriedCheckpoint(
      new Map([
        ['model.json', text],
        ['weights.bin', file],
      ]),
    ),
    'model.json',
  );
  const weights = readWeights(manifest, () => file, 'model.json');
  const predictor = new NetPredictor(
    {
      topology: topology as object,
      weights,
      inputs: [],
      file: 'model.json',
      files: () => filesOf(topology as object, weights),
    },
    {},
    {
      openGpu: () => Promise.reject(new Error('there is no GPU here')),
      openTfjs: async (files) => {
        const net = await loadTfjsNet(tf, files);
        return { ...net, close: () => Promise.resolve() };
      },
    },
  );
  try {
    await predictor.outputColumns();
    const width = JSON.stringify(topology).includes('[null,4]') ? 4 : 72;
    await predictor.call({ x: [ROW.slice(0, width)] });
  } finally {
    await predictor.close().catch(() => undefined);
    tf.disposeVariables();
  }
}

export const netTarget: FuzzTarget = {
  name: 'net',
  async files() {
    tf.enableProdMode();
    await tf.setBackend('cpu');
    const inner = [
      { name: 'inner_d/kernel', shape: [4, 4] },
      { name: 'inner_d/bias', shape: [4] },
      { name: 'o/kernel', shape: [4, 3] },
      { name: 'o/bias', shape: [3] },
    ];
    return [
      ofModel(imageNet()),
      ofModel(sequenceNet()),
      ofModel(recurrentNet()),
      packed(keras3Functional().topology, inner),
    ];
  },
  damage(bytes, random) {
    // Text that is damaged seldom parses: half of the files stay JSON.
    if (random() < 0.5) return mutate(bytes, random);
    const { text, weights } = parts(bytes);
    const model = mutateJson(JSON.parse(new TextDecoder().decode(text)) as object, random);
    return joined(new TextEncoder().encode(JSON.stringify(model)), weights);
  },
  read: readNet,
};

export const safetensorsTarget: FuzzTarget = {
  name: 'safetensors',
  files() {
    const tensor = (shape: number[]) => ({
      shape,
      values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 3),
    });
    const weights = new Map([
      ['a/kernel', tensor([3, 2])],
      ['a/bias', tensor([2])],
      ['empty', tensor([0, 3])],
      ['scalar', tensor([])],
    ]);
    const state = { step: 7, weights, optimizer: [weights, weights], velocity: weights };
    return Promise.resolve([encodeState(state), encodeState({ step: 0, weights, optimizer: [] })]);
  },
  read: (bytes) => Promise.resolve().then(() => decodeState(bytes, 'state.safetensors')),
};

/** How columns became inputs, beside a model. */
export const netInputsTarget: FuzzTarget = {
  name: 'netInputs',
  files: () =>
    Promise.resolve([
      writeNetInputs([
        { name: 'x', columns: ['a', 'b'], scale: 1 / 255, offset: -1 },
        { name: 'y', scale: 1, offset: 0 },
      ]),
    ]),
  read: (bytes) =>
    Promise.resolve().then(() => readNetInputs(new TextDecoder().decode(bytes), 'inputs.json')),
};
