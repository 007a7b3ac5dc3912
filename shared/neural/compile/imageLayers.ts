// Pooling, padding and resizing of images.

import type { PoolShape } from '../../../kernels/neural/imageShapes.ts';
import { pool, poolGradient } from '../../../kernels/neural/ops/pooling.ts';
import { shiftImage } from '../../../kernels/neural/ops/shiftImage.ts';
import type { UpSampleShape } from '../../../kernels/neural/ops/upSample.ts';
import { upSample, upSampleGradient } from '../../../kernels/neural/ops/upSample.ts';
import { elementsOf } from '../engineLayout.ts';
import type { Shape } from '../layerGraph.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';
import { isImage, notImage, slide, text } from './shapeRule.ts';

const sizeOf = ([height = 1, width = 1]: Shape) => ({ height, width });

type Pool = LayerContext<'averagePool2d' | 'globalAveragePool2d' | 'globalMaxPool2d' | 'maxPool2d'>;

function kindOf({ operation }: Pool): 'average' | 'max' {
  return operation.type === 'maxPool2d' || operation.type === 'globalMaxPool2d' ? 'max' : 'average';
}

function poolShapeOf(context: Pool): PoolShape {
  const { operation, node } = context;
  const input = sizeOf(context.inputShape());
  const channels = node.shape.at(-1) ?? 1;
  if (!('poolSize' in operation)) {
    const one = { height: 1, width: 1 };
    return { input, output: one, channels, window: input, strides: input, padTop: 0, padLeft: 0 };
  }
  return {
    input,
    output: sizeOf(node.shape),
    channels,
    window: sizeOf(operation.poolSize),
    strides: sizeOf(operation.strides),
    padTop: operation.padding.top,
    padLeft: operation.padding.left,
  };
}

const passes: Pick<LayerCompiler<Pool['operation']['type']>, 'backward' | 'forward'> = {
  forward: (context) => {
    const kind = kindOf(context);
    const winners =
      kind === 'max' && !context.state.forwardOnly
        ? context.keep('winners', elementsOf(context.node.shape), 'u32')
        : undefined;
    const buffers = {
      input: context.input(),
      output: context.output(),
      ...(winners !== undefined && { winners }),
    };
    context.emit('all', (kernel) => pool(kernel, kind, poolShapeOf(context), buffers));
  },
  backward: (context) => {
    const kind = kindOf(context);
    const { buffer, accumulate } = context.inputGradient();
    const buffers = {
      gradient: context.gradient(),
      output: buffer,
      ...(kind === 'max' && { winners: context.kept('winners') }),
    };
    context.emit('training', (kernel) =>
      poolGradient(kernel, kind, poolShapeOf(context), buffers, accumulate),
    );
  },
};

export const poolLayer: LayerCompiler<'averagePool2d' | 'maxPool2d'> = {
  ...passes,
  shape: (operation, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const { padding, poolSize } = operation;
    const widest =
      Math.max(padding.top, padding.bottom) < poolSize[0] &&
      Math.max(padding.left, padding.right) < poolSize[1];
    if (!widest) return `has windows that lie in the padding alone`;
    const size = slide(shape, poolSize, operation.strides, [1, 1], padding);
    return typeof size === 'string' ? size : { shape: [...size, shape[2]!], weights: [] };
  },
};

export const globalPoolLayer: LayerCompiler<'globalAveragePool2d' | 'globalMaxPool2d'> = {
  ...passes,
  shape: (_, [shape = []]) => (isImage(shape) ? { shape: [shape[2]!], weights: [] } : notImage(shape)),
};

/** How far an image is moved in what comes out. */
function shiftOf({ operation }: LayerContext<'crop2d' | 'zeroPad2d'>): { down: number; right: number } {
  if (operation.type === 'zeroPad2d') return { down: operation.padding.top, right: operation.padding.left };
  return { down: -operation.cropping.top, right: -operation.cropping.left };
}

const shift: Pick<LayerCompiler<'crop2d' | 'zeroPad2d'>, 'backward' | 'forward'> = {
  forward: (context) => {
    const shape = {
      input: sizeOf(context.inputShape()),
      output: sizeOf(context.node.shape),
      channels: context.node.shape[2] ?? 1,
      ...shiftOf(context),
    };
    const buffers = { input: context.input(), output: context.output() };
    context.emit('all', (kernel) => shiftImage(kernel, 'forward', shape, buffers, false));
  },
  backward: (context) => {
    const { down, right } = shiftOf(context);
    const shape = {
      input: sizeOf(context.node.shape),
      output: sizeOf(context.inputShape()),
      channels: context.node.shape[2] ?? 1,
      down: -down,
      right: -right,
    };
    const { buffer, accumulate } = context.inputGradient();
    const buffers = { input: context.gradient(), output: buffer };
    context.emit('training', (kernel) => shiftImage(kernel, 'backward', shape, buffers, accumulate));
  },
};

export const zeroPadLayer: LayerCompiler<'zeroPad2d'> = {
  ...shift,
  shape: ({ padding }, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const [height = 0, width = 0, channels = 0] = shape;
    const padded = [height + padding.top + padding.bottom, width + padding.left + padding.right, channels];
    return { shape: padded, weights: [] };
  },
};

export const cropLayer: LayerCompiler<'crop2d'> = {
  ...shift,
  shape: ({ cropping }, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const [height = 0, width = 0, channels = 0] = shape;
    const rows = height - cropping.top - cropping.bottom;
    const columns = width - cropping.left - cropping.right;
    if (rows < 1 || columns < 1) return `leaves nothing of ${text(shape)}`;
    return { shape: [rows, columns, channels], weights: [] };
  },
};

function upSampleShapeOf(context: LayerContext<'upSample2d'>): UpSampleShape {
  const { size, interpolation } = context.operation;
  const channels = context.node.shape[2] ?? 1;
  return { input: sizeOf(context.inputShape()), factor: sizeOf(size), channels, interpolation };
}

export const upSampleLayer: LayerCompiler<'upSample2d'> = {
  shape: ({ size }, [shape = []]) => {
    if (!isImage(shape)) return notImage(shape);
    const [height = 0, width = 0, channels = 0] = shape;
    return { shape: [height * size[0], width * size[1], channels], weights: [] };
  },
  forward: (context) => {
    const buffers = { input: context.input(), output: context.output() };
    context.emit('all', (kernel) => upSample(kernel, upSampleShapeOf(context), buffers));
  },
  backward: (context) => {
    const { buffer, accumulate } = context.inputGradient();
    const buffers = { gradient: context.gradient(), output: buffer };
    context.emit('training', (kernel) =>
      upSampleGradient(kernel, upSampleShapeOf(context), buffers, accumulate),
    );
  },
};
