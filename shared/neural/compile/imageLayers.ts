// Pooling, padding and resizing of images.

import type { PoolShape } from '../../../kernels/neural/ops/pooling.ts';
import { pool, poolGradient } from '../../../kernels/neural/ops/pooling.ts';
import { shiftImage } from '../../../kernels/neural/ops/shiftImage.ts';
import type { UpSampleShape } from '../../../kernels/neural/ops/upSample.ts';
import { upSample, upSampleGradient } from '../../../kernels/neural/ops/upSample.ts';
import { elementsOf } from '../engineLayout.ts';
import type { Shape } from '../layerGraph.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';

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

export const poolLayer: LayerCompiler<Pool['operation']['type']> = {
  forward: (context) => {
    const kind = kindOf(context);
    const winners =
      kind === 'max' ? context.keep('winners', elementsOf(context.node.shape), 'u32') : undefined;
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

/** How far an image is moved in what comes out. */
function shiftOf({ operation }: LayerContext<'crop2d' | 'zeroPad2d'>): { down: number; right: number } {
  if (operation.type === 'zeroPad2d') return { down: operation.padding.top, right: operation.padding.left };
  return { down: -operation.cropping.top, right: -operation.cropping.left };
}

const shiftLayer: LayerCompiler<'crop2d' | 'zeroPad2d'> = {
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

export const zeroPadLayer: LayerCompiler<'zeroPad2d'> = shiftLayer;
export const cropLayer: LayerCompiler<'crop2d'> = shiftLayer;

function upSampleShapeOf(context: LayerContext<'upSample2d'>): UpSampleShape {
  const { size, interpolation } = context.operation;
  const channels = context.node.shape[2] ?? 1;
  return { input: sizeOf(context.inputShape()), factor: sizeOf(size), channels, interpolation };
}

export const upSampleLayer: LayerCompiler<'upSample2d'> = {
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
