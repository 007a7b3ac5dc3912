// The registry of gradients: a kind added here has its ops on WebGPU and its loop on the cpu device.

import type { GradientKind } from '../gradientKinds.ts';
import { gradientLogistic } from './gradientLogistic.ts';
import type { Gradient } from './gradientOf.ts';
import { gradientSoftmax } from './gradientSoftmax.ts';
import { gradientSquaredError } from './gradientSquaredError.ts';

export const gradientFormulas: Readonly<Record<GradientKind, Gradient>> = {
  logistic: gradientLogistic,
  softmax: gradientSoftmax,
  squaredError: gradientSquaredError,
};
