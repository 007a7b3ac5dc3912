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

/** How histograms are summed: one kernel always, or, by default on real GPUs, the one that suits the number of nodes. */
export type HistogramChoice = HistogramVariant | 'auto';

/** The ops of a tree device of this kind. */
export function opsOfDevice(gradient: GradientKind, histogram: HistogramChoice): Op[] {
  const histograms = histogram === 'auto' ? Object.values(histogramOps) : [histogramOps[histogram]];
  return [gradientOps[gradient], ...histograms, partition, addTree];
}

/** Every op, for tests. */
export const gbdtOps: readonly Op[] = [
  ...Object.values(gradientOps),
  ...Object.values(histogramOps),
  partition,
  addTree,
];
