// Writes layer graphs by hand, a call a layer: the nets of tests, whatever models are read from.

import type {
  ActivationName,
  LayerGraph,
  LayerNode,
  LayerOperation,
  Padding,
  Pair,
  Shape,
  WeightSpec,
} from '../../../shared/neural/layerGraph.ts';

export interface WindowOptions {
  readonly size?: number | Pair;
  readonly stride?: number | Pair;
  readonly dilation?: number | Pair;
  readonly padding?: 'same' | 'valid' | Padding;
}

const pairOf = (value: number | Pair | undefined, otherwise: number): Pair =>
  typeof value === 'object' ? value : [value ?? otherwise, value ?? otherwise];

/** As TensorFlow pads: what is odd goes to the end. */
function samePadding(size: number, window: number, stride: number, dilation: number): [number, number] {
  const outputs = Math.ceil(size / stride);
  const total = Math.max(0, (outputs - 1) * stride + dilation * (window - 1) + 1 - size);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

export class NetBuilder {
  private readonly nodes: LayerNode[] = [];
  private readonly inputs: number[] = [];
  private readonly counts = new Map<string, number>();

  input(shape: Shape, dtype: 'float32' | 'int32' = 'float32'): number {
    const place = this.add({ type: 'input', dtype }, [], shape);
    this.inputs.push(place);
    return place;
  }

  dense(
    from: number,
    units: number,
    options: { useBias?: boolean; trainable?: boolean; l2?: number; l1?: number } = {},
  ): number {
    const { useBias = true, trainable = true, ...penalties } = options;
    const shape = this.shapeOf(from);
    const weights: [string, Shape][] = [['kernel', [shape.at(-1)!, units]]];
    if (useBias) weights.push(['bias', [units]]);
    const operation = { type: 'dense', units, useBias } as const;
    return this.add(operation, [from], [...shape.slice(0, -1), units], weights, { trainable, ...penalties });
  }

  conv(
    from: number,
    filters: number,
    options: WindowOptions & { groups?: number; useBias?: boolean } = {},
  ): number {
    const { groups = 1, useBias = true } = options;
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const { window, shape } = this.window([height, width], options);
    const weights: [string, Shape][] = [['kernel', [...window.kernelSize, channels / groups, filters]]];
    if (useBias) weights.push(['bias', [filters]]);
    return this.add(
      { type: 'conv2d', filters, groups, useBias, ...window },
      [from],
      [...shape, filters],
      weights,
    );
  }

  depthwise(from: number, multiplier: number, options: WindowOptions & { useBias?: boolean } = {}): number {
    const { useBias = true } = options;
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const { window, shape } = this.window([height, width], options);
    const weights: [string, Shape][] = [['depthwise_kernel', [...window.kernelSize, channels, multiplier]]];
    if (useBias) weights.push(['bias', [channels * multiplier]]);
    const operation = { type: 'depthwiseConv2d', multiplier, useBias, ...window } as const;
    return this.add(operation, [from], [...shape, channels * multiplier], weights);
  }

  /** Made so large that its convolution gives the input again. */
  convTranspose(
    from: number,
    filters: number,
    options: { size?: Pair; stride?: Pair; padding?: Padding; beyond?: Pair; useBias?: boolean } = {},
  ): number {
    const { size = [3, 3], stride = [2, 2], beyond = [0, 0], useBias = true } = options;
    const { padding = { top: 0, bottom: 0, left: 0, right: 0 } } = options;
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const rows = (height - 1) * stride[0] + size[0] - padding.top - padding.bottom + beyond[0];
    const columns = (width - 1) * stride[1] + size[1] - padding.left - padding.right + beyond[1];
    const weights: [string, Shape][] = [['kernel', [...size, filters, channels]]];
    if (useBias) weights.push(['bias', [filters]]);
    return this.add(
      { type: 'conv2dTranspose', filters, kernelSize: size, strides: stride, padding, useBias },
      [from],
      [rows, columns, filters],
      weights,
    );
  }

  prelu(from: number, sharedAxes: number): number {
    const shape = this.shapeOf(from);
    const alpha = shape.map((size, axis) => (axis < sharedAxes ? 1 : size));
    return this.add({ type: 'prelu', sharedAxes }, [from], shape, [['alpha', alpha]]);
  }

  crop(from: number, cropping: Padding): number {
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const { top, bottom, left, right } = cropping;
    return this.add(
      { type: 'crop2d', cropping },
      [from],
      [height - top - bottom, width - left - right, channels],
    );
  }

  permute(from: number, axes: readonly number[]): number {
    const shape = this.shapeOf(from);
    return this.add(
      { type: 'permute', axes },
      [from],
      axes.map((axis) => shape[axis]!),
    );
  }

  /** Layers that see each part of the first axis by itself. @param make layers from an input of a part's shape. */
  ofParts(from: number, make: (part: number) => number): number {
    const [parts = 1, ...part] = this.shapeOf(from);
    const first = this.nodes.length;
    const stand = this.add({ type: 'reshape' }, [from], part);
    make(stand);
    const added = this.nodes.splice(first);
    for (const [at, node] of added.entries()) {
      const shape = [parts, ...node.shape];
      this.nodes.push(at === 0 ? { ...node, shape } : { ...node, shape, parts });
    }
    return this.nodes.length - 1;
  }

  /** The last layer again, with the same weights, of another input. */
  again(layer: number, from: number): number {
    return this.nodes.push({ ...this.nodes[layer]!, inputs: [from] }) - 1;
  }

  batchNorm(
    from: number,
    options: {
      momentum?: number;
      epsilon?: number;
      center?: boolean;
      scale?: boolean;
      frozen?: boolean;
      trainable?: boolean;
    } = {},
  ): number {
    const {
      momentum = 0.99,
      epsilon = 1e-3,
      center = true,
      scale = true,
      frozen,
      trainable = true,
    } = options;
    const channels = this.shapeOf(from).slice(-1);
    const weights: [string, Shape][] = [];
    if (scale) weights.push(['gamma', channels]);
    if (center) weights.push(['beta', channels]);
    weights.push(['moving_mean', channels], ['moving_variance', channels]);
    const norm = { type: 'batchNormalization', momentum, epsilon, center, scale } as const;
    const operation = { ...norm, ...(frozen !== undefined && { frozen }) };
    return this.add(operation, [from], this.shapeOf(from), weights, { trainable });
  }

  layerNorm(from: number, options: { epsilon?: number; center?: boolean; scale?: boolean } = {}): number {
    const { epsilon = 1e-3, center = true, scale = true } = options;
    const last = this.shapeOf(from).slice(-1);
    const weights: [string, Shape][] = [];
    if (scale) weights.push(['gamma', last]);
    if (center) weights.push(['beta', last]);
    const operation = { type: 'layerNormalization', epsilon, center, scale } as const;
    return this.add(operation, [from], this.shapeOf(from), weights);
  }

  activation(from: number, name: ActivationName, alpha?: number): number {
    const operation = { type: 'activation', function: name, ...(alpha !== undefined && { alpha }) } as const;
    return this.add(operation, [from], this.shapeOf(from));
  }

  pool(from: number, type: 'averagePool2d' | 'maxPool2d', options: WindowOptions = {}): number {
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const { window, shape } = this.window([height, width], { size: 2, stride: 2, ...options });
    const { kernelSize: poolSize, strides, padding } = window;
    return this.add({ type, poolSize, strides, padding }, [from], [...shape, channels]);
  }

  globalPool(from: number, type: 'globalAveragePool2d' | 'globalMaxPool2d'): number {
    return this.add({ type }, [from], this.shapeOf(from).slice(-1));
  }

  zeroPad(from: number, padding: Padding): number {
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const { top, bottom, left, right } = padding;
    return this.add(
      { type: 'zeroPad2d', padding },
      [from],
      [height + top + bottom, width + left + right, channels],
    );
  }

  reshape(from: number, shape: Shape): number {
    return this.add({ type: 'reshape' }, [from], shape);
  }

  flatten(from: number): number {
    return this.reshape(from, [this.shapeOf(from).reduce((a, b) => a * b, 1)]);
  }

  combine(type: 'add' | 'multiply', from: readonly number[]): number {
    return this.add({ type }, from, this.shapeOf(from[0]!));
  }

  concatenate(from: readonly number[], axis: number): number {
    const along = from.reduce((sum, place) => sum + this.shapeOf(place)[axis]!, 0);
    const shape = this.shapeOf(from[0]!).map((size, i) => (i === axis ? along : size));
    return this.add({ type: 'concatenate', axis }, from, shape);
  }

  dropout(from: number, rate: number): number {
    return this.add({ type: 'dropout', rate }, [from], this.shapeOf(from));
  }

  embedding(from: number, vocabulary: number, width: number): number {
    const operation = { type: 'embedding', vocabulary, width } as const;
    return this.add(operation, [from], [...this.shapeOf(from), width], [['embeddings', [vocabulary, width]]]);
  }

  upSample(from: number, size: Pair, interpolation: 'bilinear' | 'nearest'): number {
    const [height, width, channels] = this.shapeOf(from) as [number, number, number];
    const operation = { type: 'upSample2d', size, interpolation } as const;
    return this.add(operation, [from], [height * size[0], width * size[1], channels]);
  }

  graph(output: number): LayerGraph {
    return { nodes: this.nodes, inputs: this.inputs, output };
  }

  shapeOf(place: number): Shape {
    return this.nodes[place]!.shape;
  }

  private window([height, width]: Pair, options: WindowOptions) {
    const { padding = 'valid' } = options;
    const kernelSize = pairOf(options.size, 3);
    const strides = pairOf(options.stride, 1);
    const dilations = pairOf(options.dilation, 1);
    const same = (k: 0 | 1) => samePadding([height, width][k]!, kernelSize[k], strides[k], dilations[k]);
    const [top, bottom] = padding === 'same' ? same(0) : [0, 0];
    const [left, right] = padding === 'same' ? same(1) : [0, 0];
    const around = typeof padding === 'object' ? padding : { top, bottom, left, right };
    const outputs = (size: number, k: 0 | 1, pads: number) =>
      Math.floor((size + pads - dilations[k] * (kernelSize[k] - 1) - 1) / strides[k]) + 1;
    const shape: Pair = [
      outputs(height, 0, around.top + around.bottom),
      outputs(width, 1, around.left + around.right),
    ];
    return { window: { kernelSize, strides, dilations, padding: around }, shape };
  }

  private add(
    operation: LayerOperation,
    inputs: readonly number[],
    shape: Shape,
    weights: readonly [string, Shape][] = [],
    traits: { trainable?: boolean; l1?: number; l2?: number } = {},
  ): number {
    const count = (this.counts.get(operation.type) ?? 0) + 1;
    this.counts.set(operation.type, count);
    const name = `${operation.type}_${count}`;
    const specs: WeightSpec[] = weights.map(([suffix, size]) => ({
      name: `${name}/${suffix}`,
      shape: size,
      trainable: !suffix.startsWith('moving_') && (traits.trainable ?? true),
      ...(traits.l1 !== undefined && { l1: traits.l1 }),
      ...(traits.l2 !== undefined && { l2: traits.l2 }),
    }));
    const node = { name, operation, inputs, shape, weights: specs };
    return this.nodes.push(node) - 1;
  }
}
