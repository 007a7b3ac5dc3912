// Layers over sequences [length, channels]: those of images that are one wide.

import type { Pair, Shape } from '../layerGraph.ts';
import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { glorotNormal } from '../graph/initializer.ts';
import { paddingOf, windowOutput, type LayerConfig } from '../graph/layerConfig.ts';
import { single, type LayerReader } from '../graph/layerReader.ts';
import { NeuralModelError } from '../graph/modelErrors.ts';
import { biasOf } from './biasOf.ts';

interface Sequence {
  readonly length: number;
  readonly channels: number;
}

function sequenceOf(config: LayerConfig, shape: Shape): Sequence {
  const [length, channels, ...more] = shape;
  if (length !== undefined && channels !== undefined && more.length === 0) return { length, channels };
  throw new NeuralModelError(
    `${config.className} "${config.name}" takes sequences [length, channels], not [${shape.join(', ')}]`,
    { field: config.name },
  );
}

function asImage(config: LayerConfig, input: number, graph: GraphBuilder): number {
  config.requireChannelsLast();
  const { length, channels } = sequenceOf(config, graph.shape(input));
  return graph.add(config, { type: 'reshape' }, [input], [length, 1, channels]);
}

function asSequence(config: LayerConfig, image: number, graph: GraphBuilder): number {
  const [length = 1, , channels = 1] = graph.shape(image);
  return graph.add(config, { type: 'reshape' }, [image], [length, channels]);
}

/** A window along the length. */
function placeAlong(config: LayerConfig, length: number, size: number, stride: number, dilation: number) {
  const along = (extent: number): Pair => [extent, 1];
  const [window, strides, dilations] = [along(size), along(stride), along(dilation)] as const;
  const padding = config.raw('padding') ?? 'valid';
  if (padding === 'causal') throw config.unsupported('its padding is causal');
  const around = paddingOf(
    config.text('padding', ['valid', 'same'], 'valid'),
    [length, 1],
    window,
    strides,
    dilations,
  );
  const output = windowOutput([length, 1], window, strides, around, dilations);
  if (output) return { window, strides, dilations, padding: around, output };
  throw new NeuralModelError(
    `${config.className} "${config.name}": a window of ${size} does not fit into a sequence of ${length}`,
    { field: config.name },
  );
}

export const conv1d: LayerReader = {
  classNames: ['Conv1D', 'Convolution1D'],
  inputs: 'one',
  gives: 'activated',
  takesParts: true,
  read(config, inputs, graph) {
    config.refuseSet('activity_regularizer', 'kernel_constraint', 'bias_constraint');
    const { length, channels } = sequenceOf(config, graph.shape(single(inputs)));
    const filters = config.count('filters');
    const size = config.single('kernel_size');
    if (config.count('groups', 1) !== 1) throw config.unsupported('it has groups');
    const useBias = config.flag('use_bias', true);
    const placed = placeAlong(
      config,
      length,
      size,
      config.single('strides', 1),
      config.single('dilation_rate', 1),
    );
    const { window: kernelSize, strides, dilations, padding, output } = placed;
    const node = graph.add(
      config,
      { type: 'conv2d', filters, kernelSize, strides, dilations, padding, groups: 1, useBias },
      [asImage(config, single(inputs), graph)],
      [...output, filters],
      [
        {
          name: 'kernel',
          shape: [size, channels, filters],
          initializer: config.initializer('kernel_initializer', glorotNormal),
          penalty: config.penalty('kernel_regularizer'),
        },
        ...biasOf(config, useBias, filters),
      ],
    );
    return asSequence(config, graph.activate(config, node, config.activation()), graph);
  },
};

function pool(classNames: readonly string[], type: 'averagePool2d' | 'maxPool2d'): LayerReader {
  return {
    classNames,
    inputs: 'one',
    gives: 'values',
    takesParts: true,
    read(config, inputs, graph) {
      const { length, channels } = sequenceOf(config, graph.shape(single(inputs)));
      const size = config.single('pool_size', 2);
      const {
        window: poolSize,
        strides,
        padding,
        output,
      } = placeAlong(config, length, size, config.single('strides', size), 1);
      const image = asImage(config, single(inputs), graph);
      const node = graph.add(config, { type, poolSize, strides, padding }, [image], [...output, channels]);
      return asSequence(config, node, graph);
    },
  };
}

function globalPool(
  classNames: readonly string[],
  type: 'globalAveragePool2d' | 'globalMaxPool2d',
): LayerReader {
  return {
    classNames,
    inputs: 'one',
    gives: 'values',
    takesParts: true,
    read(config, inputs, graph) {
      if (config.flag('keepdims', false)) throw config.unsupported('it keeps the dimensions');
      const { channels } = sequenceOf(config, graph.shape(single(inputs)));
      return graph.add(config, { type }, [asImage(config, single(inputs), graph)], [channels]);
    },
  };
}

export const maxPool1d = pool(['MaxPooling1D', 'MaxPool1D'], 'maxPool2d');
export const averagePool1d = pool(['AveragePooling1D', 'AvgPool1D'], 'averagePool2d');
export const globalMaxPool1d = globalPool(['GlobalMaxPooling1D', 'GlobalMaxPool1D'], 'globalMaxPool2d');
export const globalAveragePool1d = globalPool(
  ['GlobalAveragePooling1D', 'GlobalAvgPool1D'],
  'globalAveragePool2d',
);

/** [channels] becomes [n, channels]. */
export const repeatVector: LayerReader = {
  classNames: ['RepeatVector'],
  inputs: 'one',
  gives: 'values',
  takesParts: true,
  read(config, inputs, graph) {
    const [channels, ...more] = graph.shape(single(inputs));
    if (channels === undefined || more.length > 0) {
      throw new NeuralModelError(`RepeatVector "${config.name}" takes vectors`, { field: config.name });
    }
    const n = config.count('n');
    const image = graph.add(config, { type: 'reshape' }, [single(inputs)], [1, 1, channels]);
    const spread = { type: 'upSample2d', size: [n, 1], interpolation: 'nearest' } as const;
    return asSequence(config, graph.add(config, spread, [image], [n, 1, channels]), graph);
  },
};
