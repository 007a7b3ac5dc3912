// First values of weights, as Keras and tfjs define them, from a seed: the same seed and model give the same weights.

import { z } from 'zod';
import type { Shape } from '../layerGraph.ts';

export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly least: number; readonly most: number }
  | {
      readonly kind: 'normal';
      readonly mean: number;
      readonly deviation: number;
      readonly truncated: boolean;
    }
  /** Variance scale / n, with n the mean of, or one of, the numbers of inputs and outputs (Glorot & Bengio 2010). */
  | {
      readonly kind: 'scaling';
      readonly scale: number;
      readonly mode: 'fan_avg' | 'fan_in' | 'fan_out';
      readonly distribution: 'normal' | 'uniform';
    };

export const zeros: Initializer = { kind: 'constant', value: 0 };
export const ones: Initializer = { kind: 'constant', value: 1 };
/** What tfjs's dense and convolution layers begin with. */
export const glorotNormal: Initializer = {
  kind: 'scaling',
  scale: 1,
  mode: 'fan_avg',
  distribution: 'normal',
};

const finite = z.number();
const written = z.object({ class_name: z.string(), config: z.record(z.string(), z.unknown()).default({}) });

/** From a config; undefined for one that is not known here. */
export function readInitializer(value: unknown): Initializer | undefined {
  const parsed = written.safeParse(typeof value === 'string' ? { class_name: value } : value);
  if (!parsed.success) return undefined;
  const { class_name: className, config } = parsed.data;
  const number = (field: string, fallback: number): number =>
    finite.safeParse(config[field]).data ?? fallback;
  const scaling = (
    scale: number,
    mode: 'fan_avg' | 'fan_in' | 'fan_out',
    distribution: 'normal' | 'uniform',
  ): Initializer => ({ kind: 'scaling', scale, mode, distribution });
  switch (className.replace(/_/g, '').toLowerCase()) {
    case 'zeros':
      return zeros;
    case 'ones':
      return ones;
    case 'constant':
      return { kind: 'constant', value: number('value', 0) };
    case 'randomuniform':
      return { kind: 'uniform', least: number('minval', -0.05), most: number('maxval', 0.05) };
    case 'randomnormal':
    case 'truncatednormal': {
      const truncated = className.toLowerCase().startsWith('truncated');
      return { kind: 'normal', mean: number('mean', 0), deviation: number('stddev', 0.05), truncated };
    }
    case 'variancescaling': {
      const mode = config['mode'] ?? 'fan_in';
      const distribution = config['distribution'] ?? 'normal';
      if (mode !== 'fan_avg' && mode !== 'fan_in' && mode !== 'fan_out') return undefined;
      return scaling(number('scale', 1), mode, distribution === 'uniform' ? 'uniform' : 'normal');
    }
    case 'glorotnormal':
      return glorotNormal;
    case 'glorotuniform':
      return scaling(1, 'fan_avg', 'uniform');
    case 'henormal':
      return scaling(2, 'fan_in', 'normal');
    case 'heuniform':
      return scaling(2, 'fan_in', 'uniform');
    case 'lecunnormal':
      return scaling(1, 'fan_in', 'normal');
    case 'lecununiform':
      return scaling(1, 'fan_in', 'uniform');
    default:
      return undefined;
  }
}

/** @param random uniform numbers in [0, 1). */
export function initialValues(
  initializer: Initializer,
  shape: Shape,
  random: () => number,
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((product, dimension) => product * dimension, 1));
  switch (initializer.kind) {
    case 'constant':
      return values.fill(initializer.value);
    case 'uniform': {
      const { least, most } = initializer;
      for (let i = 0; i < values.length; i++) values[i] = least + (most - least) * random();
      return values;
    }
    case 'normal': {
      const { mean, deviation, truncated } = initializer;
      for (let i = 0; i < values.length; i++) values[i] = mean + deviation * normal(random, truncated);
      return values;
    }
    case 'scaling': {
      const [fanIn, fanOut] = fans(shape);
      const n = { fan_in: fanIn, fan_out: fanOut, fan_avg: (fanIn + fanOut) / 2 }[initializer.mode];
      const variance = initializer.scale / Math.max(1, n);
      // As in tfjs: truncated at two deviations, without widening it for what that takes off the variance.
      const draw: Initializer =
        initializer.distribution === 'normal'
          ? { kind: 'normal', mean: 0, deviation: Math.sqrt(variance), truncated: true }
          : { kind: 'uniform', least: -Math.sqrt(3 * variance), most: Math.sqrt(3 * variance) };
      return initialValues(draw, shape, random);
    }
  }
  return values;
}

/** Inputs and outputs of one place of a kernel [..., in, out]. */
function fans(shape: Shape): [number, number] {
  const last = shape.at(-1) ?? 1;
  if (shape.length < 2) return [last, last];
  const receptive = shape.slice(0, -2).reduce((product, dimension) => product * dimension, 1);
  return [(shape.at(-2) ?? 1) * receptive, last * receptive];
}

/** Box and Muller 1958. */
function normal(random: () => number, truncated: boolean): number {
  for (;;) {
    const value = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    if (!truncated || Math.abs(value) <= 2) return value;
  }
}
