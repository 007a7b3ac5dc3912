// A layer that sees each part of a sequence by itself. Only layers that compute the same in training and in inference: with
// the others Keras and tfjs do different things.

import type { LayerReader } from '../graph/layerReader.ts';
import { single } from '../graph/layerReader.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { activation, elu, leakyRelu, relu, softmax } from './activation.ts';
import { conv2d } from './conv2d.ts';
import { conv2dTranspose } from './conv2dTranspose.ts';
import { cropping2d } from './cropping2d.ts';
import { dense } from './dense.ts';
import { depthwiseConv2d } from './depthwiseConv2d.ts';
import { layerNormalization } from './layerNormalization.ts';
import { permute } from './permute.ts';
import { averagePool2d, globalAveragePool2d, globalMaxPool2d, maxPool2d } from './pooling.ts';
import { prelu } from './prelu.ts';
import { rescaling } from './rescaling.ts';
import { flatten, reshape } from './reshape.ts';
import { separableConv2d } from './separableConv2d.ts';
import {
  averagePool1d,
  conv1d,
  globalAveragePool1d,
  globalMaxPool1d,
  maxPool1d,
  repeatVector,
} from './sequences.ts';
import { upSampling2d } from './upSampling2d.ts';
import { zeroPadding2d } from './zeroPadding2d.ts';

const readers: readonly LayerReader[] = [
  activation,
  averagePool1d,
  averagePool2d,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  elu,
  flatten,
  globalAveragePool1d,
  globalAveragePool2d,
  globalMaxPool1d,
  globalMaxPool2d,
  layerNormalization,
  leakyRelu,
  maxPool1d,
  maxPool2d,
  permute,
  prelu,
  relu,
  repeatVector,
  rescaling,
  reshape,
  separableConv2d,
  softmax,
  upSampling2d,
  zeroPadding2d,
];

const byClass: ReadonlyMap<string, LayerReader> = new Map(
  readers.flatMap((reader) => reader.classNames.map((name) => [name, reader] as const)),
);

export const timeDistributed: LayerReader = {
  classNames: ['TimeDistributed'],
  inputs: 'one',
  read(config, inputs, graph) {
    const inner = config.wrapped('layer');
    if (!inner) return config.refuse('layer', config.raw('layer'), 'a layer');
    const reader = byClass.get(inner.className);
    if (!reader) throw config.unsupported(`a ${inner.className} for each part is not compiled`);
    const [parts, ...part] = graph.shape(single(inputs));
    if (parts !== undefined && part.length > 0)
      return graph.ofParts(parts, () => reader.read(inner, inputs, graph));
    throw new NeuralModelError(
      `TimeDistributed "${config.name}" takes inputs of at least two dimensions beside the batch`,
      { field: config.name },
    );
  },
};
