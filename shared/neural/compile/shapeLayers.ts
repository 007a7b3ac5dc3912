// Operations that move values without computing: inputs, reshaping, other orders of axes, concatenation, look-ups.

import { copySlice } from '../../../kernels/neural/ops/copySlice.ts';
import { embedding, embeddingGradient } from '../../../kernels/neural/ops/embedding.ts';
import { permute } from '../../../kernels/neural/ops/permute.ts';
import { elementsOf } from '../engineLayout.ts';
import type { Shape } from '../layerGraph.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';
import { text } from './shapeRule.ts';

export const inputLayer: LayerCompiler<'input'> = {
  shape: (_, __, declared) => ({ shape: declared, weights: [] }),
  forward: ({ state, layer, operation, node }) => {
    const place = state.graph.inputs.indexOf(layer.node);
    const type = operation.dtype === 'int32' ? 'i32' : 'f32';
    const name = state.builder.declare(`input:${place}`, elementsOf(node.shape), type, true);
    state.values.set(layer.last, name);
  },
  backward: () => {},
};

/** The same numbers in the same order: the same buffer. */
export const reshapeLayer: LayerCompiler<'reshape'> = {
  shape: (_, [shape = []], declared) =>
    elementsOf(shape) === elementsOf(declared)
      ? { shape: declared, weights: [] }
      : `can not make ${text(declared)} of ${text(shape)}`,
  forward: (context) => {
    context.state.values.set(context.layer.last, context.input());
  },
  backward: (context) => context.passToInput(context.gradient()),
};

export const permuteLayer: LayerCompiler<'permute'> = {
  shape: ({ axes }, [shape = []]) =>
    axes.length === shape.length && shape.every((_, axis) => axes.includes(axis))
      ? { shape: axes.map((axis) => shape[axis] ?? 0), weights: [] }
      : `puts the axes of ${text(shape)} in the order ${text(axes)}`,
  forward: (context) => {
    const shape = { input: context.inputShape(), axes: context.operation.axes };
    const buffers = { input: context.input(), output: context.output() };
    context.emit('all', (kernel) => permute(kernel, 'forward', shape, buffers, false));
  },
  backward: (context) => {
    const { axes } = context.operation;
    const shape = { input: context.node.shape, axes: axes.map((_, axis) => axes.indexOf(axis)) };
    const { buffer, accumulate } = context.inputGradient();
    const buffers = { input: context.gradient(), output: buffer };
    context.emit('training', (kernel) => permute(kernel, 'backward', shape, buffers, accumulate));
  },
};

/** Of the k-th input: elements of a row, and where they begin in the output's row. */
function sliceOf(context: LayerContext<'concatenate'>, k: number) {
  const { operation, node } = context;
  const inner = elementsOf(node.shape.slice(operation.axis + 1));
  const lengths = node.inputs.map((_, j) => (context.inputShape(j)[operation.axis] ?? 0) * inner);
  return {
    rowsPerExample: elementsOf(node.shape.slice(0, operation.axis)),
    length: lengths[k] ?? 0,
    stride: lengths.reduce((a, b) => a + b, 0),
    offset: lengths.slice(0, k).reduce((a, b) => a + b, 0),
  };
}

export const concatenateLayer: LayerCompiler<'concatenate'> = {
  shape: ({ axis }, inputs) => {
    const [first = []] = inputs;
    if (axis < 0 || axis >= first.length) return `concatenates along axis ${axis} of ${text(first)}`;
    const rest = (shape: Shape) => text(shape.map((size, i) => (i === axis ? 0 : size)));
    const other = inputs.find((shape) => rest(shape) !== rest(first));
    if (other !== undefined)
      return `can not concatenate ${text(first)} and ${text(other)} along axis ${axis}`;
    const along = inputs.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0);
    return { shape: first.map((size, i) => (i === axis ? along : size)), weights: [] };
  },
  forward: (context) => {
    const output = context.output();
    context.node.inputs.forEach((_, k) => {
      const { rowsPerExample, length, stride, offset } = sliceOf(context, k);
      const shape = {
        rowsPerExample,
        length,
        inputStride: length,
        inputOffset: 0,
        outputStride: stride,
        outputOffset: offset,
      };
      const buffers = { input: context.input(k), output };
      context.emit('all', (kernel) => copySlice(kernel, 'forward', shape, buffers, false));
    });
  },
  backward: (context) => {
    context.node.inputs.forEach((_, k) => {
      if (!context.inputLearns(k)) return;
      const { rowsPerExample, length, stride, offset } = sliceOf(context, k);
      const shape = {
        rowsPerExample,
        length,
        inputStride: stride,
        inputOffset: offset,
        outputStride: length,
        outputOffset: 0,
      };
      const { buffer, accumulate } = context.inputGradient(k);
      const buffers = { input: context.gradient(), output: buffer };
      context.emit('training', (kernel) => copySlice(kernel, 'backward', shape, buffers, accumulate));
    });
  },
};

export const embeddingLayer: LayerCompiler<'embedding'> = {
  shape: ({ vocabulary, width }, [shape = []]) => ({
    shape: [...shape, width],
    weights: [[vocabulary, width]],
  }),
  forward: (context) => {
    const { vocabulary, width } = context.operation;
    const shape = { length: elementsOf(context.inputShape()), vocabulary, width };
    const buffers = { indices: context.input(), table: context.weight(0), output: context.output() };
    context.emit('all', (kernel) => embedding(kernel, shape, buffers));
  },
  backward: (context) => {
    const tableGradient = context.weightGradient(0);
    if (tableGradient === undefined) return;
    const { vocabulary, width } = context.operation;
    const shape = { length: elementsOf(context.inputShape()), vocabulary, width };
    const buffers = { indices: context.input(), outputGradient: context.gradient(), tableGradient };
    context.emit('training', (kernel) => embeddingGradient(kernel, shape, buffers));
  },
};
