// The registry of tree ops: an op added here is compiled by the device and run by the op tests.

import type { Op } from '../../gpu/op.ts';
import type { DeviceSpec } from '../treeDevice.ts';
import { hasWideMargins } from '../treeDevice.ts';
import { addTree, addTreeWide } from './addTree.ts';
import { gradientFormulas } from './gradientFormulas.ts';
import { histogramGlobal } from './histogramGlobal.ts';
import { histogramTiled } from './histogramTiled.ts';
import { partition } from './partition.ts';

export const histogramOps = { global: histogramGlobal, tiled: histogramTiled } as const;
export type HistogramVariant = keyof typeof histogramOps;

/** How histograms are summed: one kernel always, or, by default on real GPUs, the one that suits the number of nodes. */
export type HistogramChoice = HistogramVariant | 'auto';

type Kind = Pick<DeviceSpec, 'gradient' | 'isWide'>;

export function gradientOpOf({ gradient, isWide }: Kind): Op {
  return gradientFormulas[gradient][isWide === true ? 'wide' : 'narrow'];
}

export function addTreeOpOf(spec: Kind): Op {
  return hasWideMargins(spec) ? addTreeWide : addTree;
}

/** The ops of a tree device of this kind. */
export function opsOfDevice(spec: Kind, histogram: HistogramChoice): Op[] {
  const histograms = histogram === 'auto' ? Object.values(histogramOps) : [histogramOps[histogram]];
  return [gradientOpOf(spec), ...histograms, partition, addTreeOpOf(spec)];
}

/** Every op, for tests. */
export const gbdtOps: readonly Op[] = [
  ...Object.values(gradientFormulas).flatMap(({ narrow, wide }) => [narrow, wide]),
  ...Object.values(histogramOps),
  partition,
  addTree,
  addTreeWide,
];
