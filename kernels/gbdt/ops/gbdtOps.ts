// The registry of tree ops: an op added here is compiled by the device and run by the op tests.

import type { Op } from '../../gpu/op.ts';
import type { GradientKind } from '../treeDevice.ts';
import { addTree } from './addTree.ts';
import { gradientLogistic } from './gradientLogistic.ts';
import { gradientSoftmax } from './gradientSoftmax.ts';
import { gradientSquaredError } from './gradientSquaredError.ts';
import { histogramGlobal } from './histogramGlobal.ts';
import { histogramTiled } from './histogramTiled.ts';
import { partition } from './partition.ts';

export const gradientOps: Readonly<Record<GradientKind, Op>> = {
  logistic: gradientLogistic,
  softmax: gradientSoftmax,
  squaredError: gradientSquaredError,
};

export const histogramOps = { global: histogramGlobal, tiled: histogramTiled } as const;
export type HistogramVariant = keyof typeof histogramOps;

export { addTree, partition };
