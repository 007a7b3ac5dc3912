// The registry of operations: what shape each gives, and how it becomes dispatches, forward and backward. A new operation is
// one entry here and one in LayerOperation.

import type { OperationType } from '../layerGraph.ts';
import type { LayerCompiler } from './layerContext.ts';
import { activationLayer, addLayer, dropoutLayer, multiplyLayer, rescaleLayer } from './arithmeticLayers.ts';
import { conv2dLayer, denseLayer, depthwiseConv2dLayer } from './convolutionLayers.ts';
import { convolutionTransposeLayer } from './convolutionTransposeLayer.ts';
import { cropLayer, globalPoolLayer, poolLayer, upSampleLayer, zeroPadLayer } from './imageLayers.ts';
import { batchNormalizationLayer, layerNormalizationLayer } from './normalizationLayers.ts';
import { preluLayer } from './preluLayer.ts';
import { concatenateLayer, embeddingLayer, inputLayer, permuteLayer, reshapeLayer } from './shapeLayers.ts';

const layerCompilers = {
  activation: activationLayer,
  add: addLayer,
  averagePool2d: poolLayer,
  batchNormalization: batchNormalizationLayer,
  concatenate: concatenateLayer,
  conv2d: conv2dLayer,
  conv2dTranspose: convolutionTransposeLayer,
  crop2d: cropLayer,
  dense: denseLayer,
  depthwiseConv2d: depthwiseConv2dLayer,
  dropout: dropoutLayer,
  embedding: embeddingLayer,
  globalAveragePool2d: globalPoolLayer,
  globalMaxPool2d: globalPoolLayer,
  input: inputLayer,
  layerNormalization: layerNormalizationLayer,
  maxPool2d: poolLayer,
  multiply: multiplyLayer,
  permute: permuteLayer,
  prelu: preluLayer,
  rescale: rescaleLayer,
  reshape: reshapeLayer,
  upSample2d: upSampleLayer,
  zeroPad2d: zeroPadLayer,
};

export function layerCompilerOf(type: OperationType): LayerCompiler<OperationType> {
  return layerCompilers[type];
}
