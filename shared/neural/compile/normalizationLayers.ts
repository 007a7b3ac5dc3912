// Batch and layer normalization. Batch norm takes the addition and the relu after it along.

import type { BatchNormForm } from '../../../kernels/neural/ops/batchNorm.ts';
import {
  batchNormApply,
  batchNormGradientSums,
  batchNormInputGradient,
  movingMoments,
} from '../../../kernels/neural/ops/batchNorm.ts';
import type { BatchNormShape } from '../../../kernels/neural/ops/batchNormStatistics.ts';
import { batchNormStatistics, takeSynchronized } from '../../../kernels/neural/ops/batchNormStatistics.ts';
import type { LayerNormForm } from '../../../kernels/neural/ops/layerNorm.ts';
import {
  layerNorm,
  layerNormInputGradient,
  layerNormWeightGradients,
} from '../../../kernels/neural/ops/layerNorm.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerCompiler, LayerContext } from './layerContext.ts';
import { optional } from './shapeRule.ts';

type BatchNorm = LayerContext<'batchNormalization'>;

function shapeOf({ node, operation }: BatchNorm): BatchNormShape {
  const channels = node.shape.at(-1) ?? 1;
  return { channels, rowsPerExample: elementsOf(node.shape) / channels, epsilon: operation.epsilon };
}

function formOf({ operation, layer }: BatchNorm): BatchNormForm {
  const { residual, activation } = layer;
  return {
    gamma: operation.scale,
    beta: operation.center,
    residual: residual !== undefined,
    relu: activation !== undefined,
  };
}

/** Places of the weights, in tfjs's order. */
function placesOf({ operation: { scale, center } }: BatchNorm) {
  const mean = Number(scale) + Number(center);
  return { gamma: 0, beta: Number(scale), mean, variance: mean + 1 };
}

/** Whether members exchange statistics in the middle of this layer. */
function isSynchronized({ state, operation }: BatchNorm): boolean {
  return state.syncBatchNorm && operation.frozen !== true;
}

function batchNormForward(context: BatchNorm): void {
  const { layer } = context;
  const shape = shapeOf(context);
  const form = formOf(context);
  const places = placesOf(context);
  const moments = context.keepFixed('moments', 2 * shape.channels);
  if (context.operation.frozen !== true) emitStatistics(context, moments);
  const moving = { mean: context.weight(places.mean), variance: context.weight(places.variance), moments };
  context.emit(context.operation.frozen === true ? 'all' : 'inference', (kernel) =>
    movingMoments(kernel, shape, moving),
  );
  const buffers = {
    input: context.input(),
    moments,
    output: context.output(),
    ...(form.gamma && { gamma: context.weight(places.gamma) }),
    ...(form.beta && { beta: context.weight(places.beta) }),
    ...(layer.residual !== undefined && { residual: context.valueOf(layer.residual) }),
  };
  context.emit('all', (kernel) => batchNormApply(kernel, form, shape, buffers));
}

/** Of the microbatch, in training. */
function emitStatistics(context: BatchNorm, moments: string): void {
  const { state, node } = context;
  const shape = shapeOf(context);
  const places = placesOf(context);
  const statistics = {
    input: context.input(),
    moments,
    meanSum: `gradient:${node.weights[places.mean]?.name ?? ''}`,
    varianceSum: `gradient:${node.weights[places.variance]?.name ?? ''}`,
  };
  const synchronized = isSynchronized(context);
  context.emit('training', (kernel) => batchNormStatistics(kernel, shape, statistics, synchronized));
  if (!synchronized) return;
  const { channels, rowsPerExample } = shape;
  const stop = { stop: 'statistics', direction: 'forward', channels, rowsPerExample } as const;
  state.builder.stop({ ...stop, values: moments, origin: context.weight(places.mean) });
  context.emit('training', (kernel) => takeSynchronized(kernel, shape, statistics));
}

function batchNormBackward(context: BatchNorm): void {
  const { state, layer } = context;
  const shape = shapeOf(context);
  const form = formOf(context);
  const places = placesOf(context);
  const frozen = context.operation.frozen === true;
  const gradient = context.ownGradient();
  const sums = context.keepFixed('sums', 3 * shape.channels);
  const gammaGradient = form.gamma ? context.weightGradient(places.gamma) : undefined;
  const betaGradient = form.beta ? context.weightGradient(places.beta) : undefined;
  const buffers = {
    x: context.input(),
    moments: context.kept('moments'),
    sums,
    gradient,
    ...(form.relu && { y: context.output() }),
    ...(form.gamma && { gamma: context.weight(places.gamma) }),
    ...(gammaGradient !== undefined && { gammaGradient }),
    ...(betaGradient !== undefined && { betaGradient }),
  };
  if (!frozen || gammaGradient !== undefined || betaGradient !== undefined) {
    context.emit('training', (kernel) => batchNormGradientSums(kernel, form, shape, buffers));
  }
  const synchronized = isSynchronized(context);
  if (synchronized) {
    const { channels, rowsPerExample } = shape;
    const stop = { stop: 'statistics', direction: 'backward', channels, rowsPerExample } as const;
    state.builder.stop({ ...stop, values: sums, origin: context.weight(places.mean) });
  }
  const inputGradient = form.residual ? context.freshInputGradient() : undefined;
  const written = { ...buffers, ...(inputGradient !== undefined && { inputGradient }) };
  const from = frozen ? 'moving' : synchronized ? 'synchronized' : 'batch';
  context.emit('training', (kernel) => batchNormInputGradient(kernel, form, shape, written, from));
  // In place: what was the gradient of the sum is now that of the residual, or of the input where there is none.
  if (layer.residual === undefined) context.passToInput(gradient);
  else context.pass(layer.residual, gradient);
}

export const batchNormalizationLayer: LayerCompiler<'batchNormalization'> = {
  shape: ({ scale, center }, [shape = []]) => {
    const channels = shape.slice(-1);
    const weights = [...optional(scale, channels), ...optional(center, channels), channels, channels];
    return shape.length === 0 ? 'needs an input of at least one dimension' : { shape, weights };
  },
  forward: batchNormForward,
  backward: batchNormBackward,
};

type LayerNorm = LayerContext<'layerNormalization'>;

function layerFormOf({ node, operation }: LayerNorm): LayerNormForm {
  const length = node.shape.at(-1) ?? 1;
  const { epsilon, scale, center } = operation;
  return { length, rowsPerExample: elementsOf(node.shape) / length, epsilon, gamma: scale, beta: center };
}

function layerBuffersOf(context: LayerNorm) {
  const { scale, center } = context.operation;
  return {
    input: context.input(),
    output: context.output(),
    means: context.kept('means'),
    inverses: context.kept('inverses'),
    ...(scale && { gamma: context.weight(0) }),
    ...(center && { beta: context.weight(Number(scale)) }),
  };
}

export const layerNormalizationLayer: LayerCompiler<'layerNormalization'> = {
  shape: ({ scale, center }, [shape = []]) => {
    const last = shape.slice(-1);
    const weights = [...optional(scale, last), ...optional(center, last)];
    return shape.length === 0 ? 'needs an input of at least one dimension' : { shape, weights };
  },
  forward: (context) => {
    const form = layerFormOf(context);
    if (context.state.forwardOnly) {
      const { means: _means, inverses: _inverses, ...buffers } = layerBuffersOf(context);
      context.emit('all', (kernel) => layerNorm(kernel, form, buffers));
      return;
    }
    context.keep('means', form.rowsPerExample);
    context.keep('inverses', form.rowsPerExample);
    context.emit('all', (kernel) => layerNorm(kernel, form, layerBuffersOf(context)));
  },
  backward: (context) => {
    const form = layerFormOf(context);
    const buffers = layerBuffersOf(context);
    const gradient = context.ownGradient();
    const gamma = form.gamma ? context.weightGradient(0) : undefined;
    const beta = form.beta ? context.weightGradient(Number(form.gamma)) : undefined;
    const targets = { ...(gamma !== undefined && { gamma }), ...(beta !== undefined && { beta }) };
    if (gamma !== undefined || beta !== undefined) {
      context.emit('training', (kernel) =>
        layerNormWeightGradients(kernel, form, buffers, gradient, targets),
      );
    }
    if (!context.inputLearns()) return;
    context.emit('training', (kernel) => layerNormInputGradient(kernel, form, buffers, gradient));
    context.passToInput(gradient);
  },
};
