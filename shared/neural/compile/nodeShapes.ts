// Shape inference: what comes out of each operation, and which weights it needs. A graph that says otherwise is refused
// before anything is compiled.

import type {
  LayerNode,
  LayerOperation,
  OperationOf,
  OperationType,
  Pair,
  Padding,
  Shape,
} from '../layerGraph.ts';
import { NetInvalidError } from '../netErrors.ts';
import { elementsOf } from '../engineLayout.ts';

interface Inferred {
  readonly shape: Shape;
  readonly weights: readonly Shape[];
}

/** What is wrong, in words that follow "Layer NAME". */
type Problem = string;

type ShapeRule<T extends OperationType> = (
  operation: OperationOf<T>,
  inputs: readonly Shape[],
  declared: Shape,
) => Inferred | Problem;

const text = (shape: Shape): string => `[${shape.join(', ')}]`;
const withoutOnes = (shape: Shape): Shape => shape.filter((size) => size !== 1);
const optional = (present: boolean, shape: Shape): Shape[] => (present ? [shape] : []);

/** Outputs of a window that moves over an image. */
function windowOutputs(
  size: number,
  window: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
): number {
  return Math.floor((size + before + after - dilation * (window - 1) - 1) / stride) + 1;
}

function slide(shape: Shape, window: Pair, strides: Pair, dilations: Pair, padding: Padding): Pair | Problem {
  const [height = 0, width = 0] = shape;
  const rows = windowOutputs(height, window[0], strides[0], dilations[0], padding.top, padding.bottom);
  const columns = windowOutputs(width, window[1], strides[1], dilations[1], padding.left, padding.right);
  if (rows >= 1 && columns >= 1) return [rows, columns];
  return `has a window of ${window.join('×')} that does not fit its input ${text(shape)}`;
}

const isImage = (shape: Shape): boolean => shape.length === 3;
const notImage = (shape: Shape): Problem => `needs an image [height, width, channels], not ${text(shape)}`;

const pooling: ShapeRule<'averagePool2d' | 'maxPool2d'> = (operation, [shape = []]) => {
  if (!isImage(shape)) return notImage(shape);
  const { padding, poolSize } = operation;
  const widest =
    Math.max(padding.top, padding.bottom) < poolSize[0] &&
    Math.max(padding.left, padding.right) < poolSize[1];
  if (!widest) return `has windows that lie in the padding alone`;
  const size = slide(shape, poolSize, operation.strides, [1, 1], padding);
  return typeof size === 'string' ? size : { shape: [...size, shape[2]!], weights: [] };
};

const globalPooling: ShapeRule<'globalAveragePool2d' | 'globalMaxPool2d'> = (_, [shape = []]) =>
  isImage(shape) ? { shape: [shape[2]!], weights: [] } : notImage(shape);

const alike: ShapeRule<'add' | 'multiply'> = (_, inputs) => {
  const [first = []] = inputs;
  const other = inputs.find((shape) => text(shape) !== text(first));
  if (other !== undefined) return `has inputs of different shapes: ${text(first)} and ${text(other)}`;
  return inputs.length < 2 ? 'needs two inputs or more' : { shape: first, weights: [] };
};

const rules: { readonly [T in OperationType]: ShapeRule<T> } = {
  input: (_, __, declared) => ({ shape: declared, weights: [] }),
  dense: ({ units, useBias }, [shape = []]) => {
    const last = shape.at(-1);
    if (last === undefined) return 'needs an input of at least one dimension';
    return { shape: [...shape.slice(0, -1), units], weights: [[last, units], ...optional(useBias, [units])] };
  },
  conv2d: (operation, [shape = []]) => {
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
  depthwiseConv2d: (operation, [shape = []]) => {
    const { multiplier, kernelSize, useBias } = operation;
    const channels = shape[2];
    if (!isImage(shape) || channels === undefined) return notImage(shape);
    const size = slide(shape, kernelSize, operation.strides, operation.dilations, operation.padding);
    if (typeof size === 'string') return size;
    const outputs = channels * multiplier;
    const kernel = [...kernelSize, channels, multiplier];
    return { shape: [...size, outputs], weights: [kernel, ...optional(useBias, [outputs])] };
  },
  conv2dTranspose: ({ filters, kernelSize, strides, padding, useBias }, [shape = []], declared) => {
    const channels = shape[2];
    if (!isImage(shape) || channels === undefined) return notImage(shape);
    const size = slide(declared, kernelSize, strides, [1, 1], padding);
    if (typeof size === 'string') return size;
    if (text(size) !== text(shape.slice(0, 2)))
      return `makes ${text(declared)} of ${text(shape)}, whose convolution gives ${text(size)}`;
    const kernel = [...kernelSize, filters, channels];
    return { shape: [...declared.slice(0, 2), filters], weights: [kernel, ...optional(useBias, [filters])] };
  },
  batchNormalization: ({ scale, center }, [shape = []]) => {
    const channels = shape.slice(-1);
    const weights = [...optional(scale, channels), ...optional(center, channels), channels, channels];
    return shape.length === 0 ? 'needs an input of at least one dimension' : { shape, weights };
  },
  layerNormalization: ({ scale, center }, [shape = []]) => {
    const last = shape.slice(-1);
    const weights = [...optional(scale, last), ...optional(center, last)];
    return shape.length === 0 ? 'needs an input of at least one dimension' : { shape, weights };
  },
  activation: (_, [shape = []]) => ({ shape, weights: [] }),
  prelu: ({ sharedAxes }, [shape = []]) => ({
    shape,
    weights: [shape.map((size, axis) => (axis < sharedAxes ? 1 : size))],
  }),
  maxPool2d: pooling,
  averagePool2d: pooling,
  globalAveragePool2d: globalPooling,
  globalMaxPool2d: globalPooling,
  zeroPad2d: ({ padding }, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const [height = 0, width = 0, channels = 0] = shape;
    const padded = [height + padding.top + padding.bottom, width + padding.left + padding.right, channels];
    return { shape: padded, weights: [] };
  },
  crop2d: ({ cropping }, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const [height = 0, width = 0, channels = 0] = shape;
    const rows = height - cropping.top - cropping.bottom;
    const columns = width - cropping.left - cropping.right;
    if (rows < 1 || columns < 1) return `leaves nothing of ${text(shape)}`;
    return { shape: [rows, columns, channels], weights: [] };
  },
  permute: ({ axes }, [shape = []]) =>
    axes.length === shape.length && shape.every((_, axis) => axes.includes(axis))
      ? { shape: axes.map((axis) => shape[axis] ?? 0), weights: [] }
      : `puts the axes of ${text(shape)} in the order ${text(axes)}`,
  reshape: (_, [shape = []], declared) =>
    elementsOf(shape) === elementsOf(declared)
      ? { shape: declared, weights: [] }
      : `can not make ${text(declared)} of ${text(shape)}`,
  add: alike,
  rescale: (_, [shape = []]) => ({ shape, weights: [] }),
  multiply: alike,
  concatenate: ({ axis }, inputs) => {
    const [first = []] = inputs;
    if (axis < 0 || axis >= first.length) return `concatenates along axis ${axis} of ${text(first)}`;
    const rest = (shape: Shape) => text(shape.map((size, i) => (i === axis ? 0 : size)));
    const other = inputs.find((shape) => rest(shape) !== rest(first));
    if (other !== undefined)
      return `can not concatenate ${text(first)} and ${text(other)} along axis ${axis}`;
    const along = inputs.reduce((sum, shape) => sum + (shape[axis] ?? 0), 0);
    return { shape: first.map((size, i) => (i === axis ? along : size)), weights: [] };
  },
  dropout: ({ rate }, [shape = []]) =>
    rate >= 0 && rate < 1 ? { shape, weights: [] } : `has a rate of ${rate}, not from 0 up to below 1`,
  embedding: ({ vocabulary, width }, [shape = []]) => ({
    shape: [...shape, width],
    weights: [[vocabulary, width]],
  }),
  upSample2d: ({ size }, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const [height = 0, width = 0, channels = 0] = shape;
    return { shape: [height * size[0], width * size[1], channels], weights: [] };
  },
};

function infer(operation: LayerOperation, inputs: readonly Shape[], declared: Shape): Inferred | Problem {
  // Each rule takes exactly the operations of its own type.
  const rule = rules[operation.type] as ShapeRule<OperationType>;
  return rule(operation, inputs, declared);
}

/** @throws NetInvalidError when the node's shape or weights are not what its operation makes of its inputs. */
export function checkNode(node: LayerNode, inputs: readonly Shape[]): void {
  const fail = (problem: Problem): never => {
    throw new NetInvalidError(`Layer "${node.name}" (${node.operation.type}) ${problem}.`, {
      field: node.name,
    });
  };
  const takesInput = node.operation.type !== 'input';
  if (takesInput === (inputs.length === 0)) fail(takesInput ? 'has no input' : 'has inputs of its own');
  const { parts } = node;
  const ofPart = (shape: Shape): Shape => {
    if (parts === undefined) return shape;
    if (shape[0] !== parts) fail(`sees ${parts} parts of ${text(shape)}`);
    return shape.slice(1);
  };
  const shape = ofPart(node.shape);
  const inferred = infer(node.operation, inputs.map(ofPart), shape);
  if (typeof inferred === 'string') return fail(inferred);
  if (text(inferred.shape) !== text(shape)) {
    fail(`gives ${text(inferred.shape)}, but the graph says ${text(shape)}`);
  }
  if (inferred.weights.length !== node.weights.length) {
    fail(`has ${node.weights.length} weights, expected ${inferred.weights.length}`);
  }
  inferred.weights.forEach((expected, k) => {
    const weight = node.weights[k];
    // Kernels of sequences leave out the width of 1.
    const isAlike = weight !== undefined && text(withoutOnes(expected)) === text(withoutOnes(weight.shape));
    if (weight === undefined || isAlike) return;
    fail(`needs the weight "${weight.name}" with the shape ${text(expected)}, not ${text(weight.shape)}`);
  });
  return undefined;
}
