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
  netCase(
    'transposed convolutions, slopes that are learned, cropping and other orders of axes',
    'meanSquaredError',
    (net) => {
      const x = net.prelu(net.conv(net.input([4, 5, 2]), 4), 2);
      const wide = net.convTranspose(x, 8, {
        size: [3, 2],
        padding: { top: 0, bottom: 1, left: 0, right: 0 },
      });
      // A window that leaves gaps, which hold the bias alone.
      const gaps = net.convTranspose(net.prelu(wide, 0), 3, { size: [1, 2], stride: [2, 3], beyond: [1, 1] });
      const cut = net.crop(gaps, { top: 1, bottom: 0, left: 2, right: 1 });
      const turned = net.permute(net.prelu(cut, 3), [2, 0, 1]);
      const back = net.combine('add', [net.permute(turned, [1, 2, 0]), cut, cut]);
      return net.dense(net.concatenate([net.flatten(back), net.flatten(turned), net.flatten(wide)], 0), 3);
    },
    { metrics: [] },
  ),
  netCase('layers that are called several times', 'sparseCategoricalCrossentropy', (net) => {
    const x = net.input([6, 6, 3]);
    const a = net.activation(net.conv(x, 3, { padding: 'same' }), 'tanh');
    const b = net.activation(net.again(1, a), 'relu');
    const c = net.activation(net.again(1, net.combine('add', [a, b])), 'relu');
    const flat = net.flatten(net.pool(c, 'averagePool2d'));
    const other = net.flatten(net.pool(a, 'averagePool2d'));
    const d = net.dense(flat, 5);
    const siamese = net.combine('multiply', [net.layerNorm(d), net.again(d, other)]);
    return net.activation(net.dense(siamese, 3), 'softmax');
  }),
  netCase(
    'layers over the parts of a sequence',
    'meanSquaredError',
    (net) => {
      const frames = net.input([3, 7, 5, 2]);
      const seen = net.ofParts(frames, (frame) => {
        const padded = net.zeroPad(frame, { top: 1, bottom: 0, left: 0, right: 1 });
        const a = net.conv(padded, 5, { stride: 2, padding: 'same' });
        const b = net.depthwise(net.prelu(a, 2), 2, { size: 2 });
        return net.pool(b, 'maxPool2d', { size: 2, stride: 1 });
      });
      const active = net.activation(seen, 'relu');
      const wide = net.ofParts(active, (frame) => net.convTranspose(frame, 4));
      const turned = net.ofParts(wide, (frame) => net.permute(frame, [1, 0, 2]));
      const pooled = net.ofParts(turned, (frame) => net.globalPool(frame, 'globalAveragePool2d'));
      const normal = net.ofParts(pooled, (frame) => net.layerNorm(frame));
      // Two that take its gradient.
      const both = net.combine('multiply', [net.dense(normal, 4), pooled]);
      return net.dense(net.flatten(both), 2);
    },
    { metrics: [] },
  ),
  netCase('probabilities that no softmax made', 'categoricalCrossentropy', (net) => {
    const x = net.input([3]);
    const made = net.activation(net.dense(x, 4), 'sigmoid');
    return net.combine('add', [made, made]);
  }),
];
