// Dense layers and convolutions: all are convolutions to the kernels.

import type { ConvolutionContext, ConvolutionShape } from '../../../kernels/neural/convolution.ts';
import type { KernelPlan } from '../../../kernels/neural/kernelCall.ts';
import { activationFormulas } from '../../../kernels/neural/ops/activations.ts';
import { columnSums, sumOfRows } from '../../../kernels/neural/ops/columnSums.ts';
import { elementsOf } from '../engineLayout.ts';
import type { Pair, Padding, Shape } from '../layerGraph.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';
import { isImage, notImage, optional, slide } from './shapeRule.ts';

type ConvolutionType = 'conv2d' | 'dense' | 'depthwiseConv2d';

interface Window {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly padding: Padding;
}

export function imageShape(input: Shape, output: Shape, window: Window, groups: number): ConvolutionShape {
  const [inputHeight = 1, inputWidth = 1, inputChannels = 1] = input;
  const [outputHeight = 1, outputWidth = 1, filters = 1] = output;
  return {
    inputHeight,
    inputWidth,
    inputChannels,
    outputHeight,
    outputWidth,
    filters,
    kernelHeight: window.kernelSize[0],
    kernelWidth: window.kernelSize[1],
    strideHeight: window.strides[0],
    strideWidth: window.strides[1],
    dilationHeight: window.dilations[0],
    dilationWidth: window.dilations[1],
    padTop: window.padding.top,
    padLeft: window.padding.left,
    groups,
  };
}

const pointwise: Window = {
  kernelSize: [1, 1],
  strides: [1, 1],
  dilations: [1, 1],
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
};

function shapeOf(context: LayerContext<ConvolutionType>): ConvolutionShape {
  const { operation, node } = context;
  const input = context.inputShape();
  if (operation.type === 'conv2d') return imageShape(input, node.shape, operation, operation.groups);
  if (operation.type === 'depthwiseConv2d') return imageShape(input, node.shape, operation, input[2] ?? 1);
  // Along the last axis: the others are positions.
  const positions = elementsOf(input.slice(0, -1));
  return imageShape([1, positions, input.at(-1) ?? 1], [1, positions, operation.units], pointwise, 1);
}

type Factory = (context: ConvolutionContext) => KernelPlan;

function emit(context: LayerContext<ConvolutionType>, use: 'all' | 'training', make: Factory): void {
  const shape = shapeOf(context);
  context.emit(use, (kernel) => make({ ...kernel, shape }));
}

function kernelsOf(context: LayerContext<ConvolutionType>) {
  const { plain, grouped } = context.state.convolutions;
  return shapeOf(context).groups === 1 ? plain : grouped;
}

function forward(context: LayerContext<ConvolutionType>): void {
  const buffers = {
    input: context.input(),
    kernel: context.weight(0),
    output: context.output(),
    ...(context.operation.useBias && { bias: context.weight(1) }),
  };
  const activation = context.layer.activation ?? 'none';
  emit(context, 'all', (kernel) => kernelsOf(context).forward(kernel, buffers, activation));
}

function backward(context: LayerContext<ConvolutionType>): void {
  const { activation } = context.layer;
  const { node } = context;
  if (activation !== undefined) {
    context.emitElementwise('backward', activationFormulas(activation).backward, elementsOf(node.shape), {
      y: context.output(),
      result: context.ownGradient(),
    });
  }
  const outputGradient = context.gradient();
  const bias = context.operation.useBias ? context.weightGradient(1) : undefined;
  if (bias !== undefined) {
    const filters = node.shape.at(-1) ?? 1;
    const reads = { gradient: outputGradient };
    context.emit('training', (kernel) =>
      columnSums(kernel, sumOfRows, filters, elementsOf(node.shape) / filters, reads, { gradients: [bias] }),
    );
  }
  const kernelGradient = context.weightGradient(0);
  if (kernelGradient !== undefined) {
    const buffers = { input: context.input(), outputGradient, kernelGradient };
    emit(context, 'training', (kernel) => kernelsOf(context).weightGradient(kernel, buffers));
  }
  if (!context.inputLearns()) return;
  const { buffer, accumulate } = context.inputGradient();
  const buffers = { outputGradient, kernel: context.weight(0), inputGradient: buffer };
  emit(context, 'training', (kernel) => kernelsOf(context).inputGradient(kernel, buffers, accumulate));
}

export const denseLayer: LayerCompiler<'dense'> = {
  shape: ({ units, useBias }, [shape = []]) => {
    const last = shape.at(-1);
    if (last === undefined) return 'needs an input of at least one dimension';
    return { shape: [...shape.slice(0, -1), units], weights: [[last, units], ...optional(useBias, [units])] };
  },
  forward,
  backward,
};

export const conv2dLayer: LayerCompiler<'conv2d'> = {
  shape: (operation, [shape = []]) => {
    const { filters, groups, kernelSize, useBias } = operation;
    const channels = shape[2];
    if (!isImage(shape) || channels === undefined) return notImage(shape);
    if (channels % groups !== 0 || filters % groups !== 0) {
      return `has ${groups} groups, which divide ${channels} channels into ${filters} filters unevenly`;
    }
    const size = slide(shape, kernelSize, operation.strides, operation.dilations, operation.padding);
    if (typeof size === 'string') return size;
    const kernel = [...kernelSize, channels / groups, filters];
    return { shape: [...size, filters], weights: [kernel, ...optional(useBias, [filters])] };
  },
  forward,
  backward,
};

export const depthwiseConv2dLayer: LayerCompiler<'depthwiseConv2d'> = {
  shape: (operation, [shape = []]) => {
    const { multiplier, kernelSize, useBias } = operation;
    const channels = shape[2];
    if (!isImage(shape) || channels === undefined) return notImage(shape);
    const size = slide(shape, kernelSize, operation.strides, operation.dilations, operation.padding);
    if (typeof size === 'string') return size;
    const outputs = channels * multiplier;
    const kernel = [...kernelSize, channels, multiplier];
    return { shape: [...size, outputs], weights: [kernel, ...optional(useBias, [outputs])] };
  },
  forward,
  backward,
};
