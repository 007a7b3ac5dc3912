// Small nets that between them have every layer, at sizes that no kernel likes.

import type { EngineSpec, LossName } from '../../../shared/neural/trainingEngine.ts';
import { NetBuilder } from './netBuilder.ts';
import { specOf } from './netData.ts';

export interface NetCase {
  readonly title: string;
  readonly spec: EngineSpec;
}

function netCase(
  title: string,
  loss: LossName,
  build: (net: NetBuilder) => number,
  some: Partial<EngineSpec> = {},
): NetCase {
  const net = new NetBuilder();
  const graph = net.graph(build(net));
  const fromLogits = some.loss?.fromLogits ?? false;
  return {
    title,
    spec: specOf(graph, {
      metrics: ['accuracy'],
      bucketBytes: 600,
      ...some,
      loss: { name: loss, fromLogits },
    }),
  };
}

export const netCases: readonly NetCase[] = [
  netCase('a residual block with batch norm', 'sparseCategoricalCrossentropy', (net) => {
    const x = net.input([9, 9, 3]);
    const stem = net.activation(net.batchNorm(net.conv(x, 8, { padding: 'same', useBias: false })), 'relu');
    const a = net.pool(stem, 'maxPool2d', { padding: 'same', size: 3 });
    const main = net.batchNorm(net.conv(a, 8, { padding: 'same' }));
    const b = net.activation(net.combine('add', [a, main]), 'relu');
    const down = net.batchNorm(net.conv(b, 12, { size: 1, stride: 2, useBias: false }));
    const next = net.batchNorm(net.conv(b, 12, { stride: 2, padding: 'same', useBias: false }));
    const c = net.activation(net.combine('add', [next, down]), 'relu');
    return net.activation(net.dense(net.globalPool(c, 'globalAveragePool2d'), 5), 'softmax');
  }),
  netCase('frozen batch norms, with weights to train and without', 'sparseCategoricalCrossentropy', (net) => {
    const x = net.input([7, 6, 3]);
    const fixed = { frozen: true, trainable: false };
    const stem = net.activation(net.batchNorm(net.conv(x, 8, { padding: 'same' }), fixed), 'relu');
    const main = net.batchNorm(net.conv(stem, 8, { padding: 'same' }), { frozen: true });
    const b = net.activation(net.combine('add', [stem, main]), 'relu');
    const c = net.batchNorm(net.conv(b, 5, { size: 1 }), { ...fixed, scale: false });
    const d = net.batchNorm(net.conv(c, 5), { scale: false, frozen: true });
    const e = net.batchNorm(net.conv(d, 6, { size: 1 }));
    return net.activation(net.dense(net.globalPool(e, 'globalAveragePool2d'), 4), 'softmax');
  }),
  netCase(
    'odd windows, dilation, groups and depthwise',
    'categoricalCrossentropy',
    (net) => {
      const x = net.input([11, 8, 4]);
      const a = net.activation(net.conv(x, 6, { size: [3, 2], stride: [2, 1], padding: 'same' }), 'relu6');
      const b = net.activation(net.conv(a, 6, { dilation: 2, padding: 'same', groups: 3 }), 'leakyRelu', 0.1);
      const c = net.activation(net.depthwise(b, 2, { stride: 2, padding: 'same' }), 'elu');
      const d = net.conv(c, 5, { size: 1, useBias: false });
      return net.dense(net.flatten(d), 3);
    },
    { loss: { name: 'categoricalCrossentropy', fromLogits: true } },
  ),
  netCase(
    'pools, padding and resizing',
    'meanSquaredError',
    (net) => {
      const x = net.conv(net.input([6, 5, 2]), 3, { padding: 'same' });
      const average = net.pool(x, 'averagePool2d', { size: 3, stride: 2, padding: 'same' });
      const most = net.pool(x, 'maxPool2d', { size: [2, 3], stride: [3, 2], padding: 'same' });
      const near = net.upSample(most, [2, 2], 'nearest');
      const between = net.upSample(most, [3, 2], 'bilinear');
      const padded = net.zeroPad(average, { top: 1, bottom: 0, left: 2, right: 1 });
      const flat = [near, between, padded].map((place) => net.flatten(place));
      return net.dense(net.concatenate([...flat, net.globalPool(x, 'globalMaxPool2d')], 0), 4);
    },
    { metrics: ['meanAbsoluteError', 'meanSquaredError'] },
  ),
  netCase(
    'products, sums of many and shared values',
    'binaryCrossentropy',
    (net) => {
      const x = net.input([7]);
      const a = net.activation(net.dense(x, 6), 'tanh');
      const b = net.activation(net.dense(x, 6), 'sigmoid');
      const c = net.activation(net.dense(a, 6), 'swish');
      const d = net.combine('multiply', [a, b, c]);
      const e = net.combine('add', [d, a, a, b]);
      const f = net.activation(e, 'gelu');
      return net.activation(net.dense(net.concatenate([f, e], 0), 3), 'sigmoid');
    },
    { metrics: ['accuracy', 'meanAbsoluteError'] },
  ),
  netCase(
    'words: embedding, layer norm, softmax inside, positions',
    'sparseCategoricalCrossentropy',
    (net) => {
      const words = net.embedding(net.input([5], 'int32'), 11, 6);
      const a = net.layerNorm(net.dense(words, 7));
      const gate = net.activation(net.dense(a, 7), 'softmax');
      const b = net.layerNorm(net.combine('multiply', [a, gate]), { scale: false });
      return net.activation(net.dense(b, 4), 'softmax');
    },
  ),
  netCase(
    'dropout, frozen weights and penalties',
    'meanSquaredError',
    (net) => {
      const x = net.dense(net.input([65]), 9, { l2: 0.01 });
      const a = net.dropout(net.activation(x, 'relu'), 0.4);
      const frozen = net.dense(a, 6, { trainable: false });
      return net.dense(net.batchNorm(frozen, { scale: false }), 2, { l1: 0.02, useBias: false });
    },
    { metrics: [] },
  ),
  netCase('probabilities that no softmax made', 'categoricalCrossentropy', (net) => {
    const x = net.input([3]);
    const made = net.activation(net.dense(x, 4), 'sigmoid');
    return net.combine('add', [made, made]);
  }),
];
