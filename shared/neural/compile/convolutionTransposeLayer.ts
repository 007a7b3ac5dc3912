// Transposed convolutions: what they give is the input gradient of a convolution, so their gradients are its other two products.

import type { ConvolutionContext, ConvolutionShape } from '../../../kernels/neural/convolution.ts';
import type { KernelPlan } from '../../../kernels/neural/kernelCall.ts';
import { columnSums, sumOfRows } from '../../../kernels/neural/ops/columnSums.ts';
import { addColumns, columnwise } from '../../../kernels/neural/ops/columnwise.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';
import { imageShape } from './convolutionLayers.ts';
import { isImage, notImage, optional, slide, text } from './shapeRule.ts';

type Transpose = LayerContext<'conv2dTranspose'>;

/** The convolution, from what comes out here to what goes in. */
function shapeOf(context: Transpose): ConvolutionShape {
  return imageShape(context.node.shape, context.inputShape(), { ...context.operation, dilations: [1, 1] }, 1);
}

function emit(
  context: Transpose,
  use: 'all' | 'training',
  make: (kernel: ConvolutionContext) => KernelPlan,
): void {
  const shape = shapeOf(context);
  context.emit(use, (kernel) => make({ ...kernel, shape }));
}

function rowsOf({ node }: Transpose) {
  const columns = node.shape.at(-1) ?? 1;
  return { columns, rowsPerExample: elementsOf(node.shape) / columns };
}

/** Profiles list it where it runs. */
function inForwardPass({ calls, workspaceBytes }: KernelPlan): KernelPlan {
  return { calls: calls.map((call) => ({ ...call, phase: 'forward' })), workspaceBytes };
}

export const convolutionTransposeLayer: LayerCompiler<'conv2dTranspose'> = {
  shape: ({ filters, kernelSize, strides, padding, useBias }, [shape = []], declared) => {
    const channels = shape[2];
    if (!isImage(shape) || channels === undefined) return notImage(shape);
    const size = slide(declared, kernelSize, strides, [1, 1], padding);
    if (typeof size === 'string') return size;
    if (text(size) !== text(shape.slice(0, 2)))
      return `makes ${text(declared)} of ${text(shape)}, whose convolution gives ${text(size)}`;
    const kernel = [...kernelSize, filters, channels];
    return { shape: [...declared.slice(0, 2), filters], weights: [kernel, ...optional(useBias, [filters])] };
  },
  forward: (context) => {
    const output = context.output();
    const buffers = {
      outputGradient: context.input(),
      kernel: context.weight(0),
      inputGradient: output,
    };
    const { plain } = context.state.convolutions;
    emit(context, 'all', (kernel) => inForwardPass(plain.inputGradient(kernel, buffers, false)));
    if (!context.operation.useBias) return;
    const bias = { table: context.weight(1), result: output };
    context.emit('all', (kernel) => columnwise(kernel, 'forward', addColumns, rowsOf(context), bias));
  },
  backward: (context) => {
    const gradient = context.gradient();
    const { plain } = context.state.convolutions;
    const bias = context.operation.useBias ? context.weightGradient(1) : undefined;
    if (bias !== undefined) {
      const { columns, rowsPerExample } = rowsOf(context);
      context.emit('training', (kernel) =>
        columnSums(kernel, sumOfRows, columns, rowsPerExample, { gradient }, { gradients: [bias] }),
      );
    }
    const kernelGradient = context.weightGradient(0);
    if (kernelGradient !== undefined) {
      const buffers = { input: gradient, outputGradient: context.input(), kernelGradient };
      emit(context, 'training', (kernel) => plain.weightGradient(kernel, buffers));
    }
    if (!context.inputLearns()) return;
    const buffers = { input: gradient, kernel: context.weight(0), output: context.freshInputGradient() };
    emit(context, 'training', (kernel) => plain.forward(kernel, buffers, 'none'));
  },
};
