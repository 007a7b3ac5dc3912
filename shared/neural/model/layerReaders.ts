// The layers of the compiled engine. One line each.

import type { LayerReader } from './layerReader.ts';
import { activation, elu, leakyRelu, relu, softmax } from './layers/activation.ts';
import { batchNormalization } from './layers/batchNormalization.ts';
import { conv2d } from './layers/conv2d.ts';
import { conv2dTranspose } from './layers/conv2dTranspose.ts';
import { cropping2d } from './layers/cropping2d.ts';
import { dense } from './layers/dense.ts';
import { depthwiseConv2d } from './layers/depthwiseConv2d.ts';
import { dropout } from './layers/dropout.ts';
import { embedding } from './layers/embedding.ts';
import { layerNormalization } from './layers/layerNormalization.ts';
import { add, average, concatenate, multiply } from './layers/merging.ts';
import { permute } from './layers/permute.ts';
import { averagePool2d, globalAveragePool2d, globalMaxPool2d, maxPool2d } from './layers/pooling.ts';
import { prelu } from './layers/prelu.ts';
import { rescaling } from './layers/rescaling.ts';
import { flatten, reshape } from './layers/reshape.ts';
import { separableConv2d } from './layers/separableConv2d.ts';
import {
  averagePool1d,
  conv1d,
  globalAveragePool1d,
  globalMaxPool1d,
  maxPool1d,
  repeatVector,
} from './layers/sequences.ts';
import { timeDistributed } from './layers/timeDistributed.ts';
import { upSampling2d } from './layers/upSampling2d.ts';
import { zeroPadding2d } from './layers/zeroPadding2d.ts';

const readers: readonly LayerReader[] = [
  activation,
  add,
  average,
  averagePool1d,
  averagePool2d,
  batchNormalization,
  concatenate,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  dropout,
  elu,
  embedding,
  flatten,
  globalAveragePool1d,
  globalAveragePool2d,
  globalMaxPool1d,
  globalMaxPool2d,
  layerNormalization,
  leakyRelu,
  maxPool1d,
  maxPool2d,
  multiply,
  permute,
  prelu,
  relu,
  repeatVector,
  rescaling,
  reshape,
  separableConv2d,
  softmax,
  timeDistributed,
  upSampling2d,
  zeroPadding2d,
];

export const layerReaders: ReadonlyMap<string, LayerReader> = new Map(
  readers.flatMap((reader) => reader.classNames.map((name) => [name, reader] as const)),
);
