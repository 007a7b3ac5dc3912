// The layers of the compiled engine. One line each.

import type { LayerReader } from '../graph/layerReader.ts';
import { activation, elu, leakyRelu, relu, softmax } from './activation.ts';
import { batchNormalization } from './batchNormalization.ts';
import { conv2d } from './conv2d.ts';
import { conv2dTranspose } from './conv2dTranspose.ts';
import { cropping2d } from './cropping2d.ts';
import { dense } from './dense.ts';
import { depthwiseConv2d } from './depthwiseConv2d.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import { layerNormalization } from './layerNormalization.ts';
import { add, average, concatenate, multiply } from './merging.ts';
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
import { timeDistributed } from './timeDistributed.ts';
import { upSampling2d } from './upSampling2d.ts';
import { zeroPadding2d } from './zeroPadding2d.ts';

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
  timeDistributed((className) => layerReaders.get(className)),
  upSampling2d,
  zeroPadding2d,
];

export const layerReaders: ReadonlyMap<string, LayerReader> = new Map(
  readers.flatMap((reader) => reader.classNames.map((name) => [name, reader] as const)),
);
