// The registry of operations: how each becomes dispatches, forward and backward. A new operation is one entry here, one
// in LayerOperation and one rule in nodeShapes.ts.

import type { OperationType } from '../layerGraph.ts';
import type { LayerCompiler } from './layerContext.ts';
import { activationLayer, addLayer, dropoutLayer, multiplyLayer, rescaleLayer } from './arithmeticLayers.ts';
import { convolutionLayer } from './convolutionLayers.ts';
import { convolutionTransposeLayer } from './convolutionTransposeLayer.ts';
import { cropLayer, poolLayer, upSampleLayer, zeroPadLayer } from './imageLayers.ts';
import { batchNormalizationLayer, layerNormalizationLayer } from './normalizationLayers.ts';
import { preluLayer } from './preluLayer.ts';
import { concatenateLayer, embeddingLayer, inputLayer, permuteLayer, reshapeLayer } from './shapeLayers.ts';

const layerCompilers = {
  activation: activationLayer,
  add: addLayer,
  averagePool2d: poolLayer,
  batchNormalization: batchNormalizationLayer,
  concatenate: concatenateLayer,
  conv2d: convolutionLayer,
  conv2dTranspose: convolutionTransposeLayer,
  crop2d: cropLayer,
  dense: convolutionLayer,
  depthwiseConv2d: convolutionLayer,
  dropout: dropoutLayer,
  embedding: embeddingLayer,
  globalAveragePool2d: poolLayer,
  globalMaxPool2d: poolLayer,
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
