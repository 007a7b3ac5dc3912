// Histograms of nodes over the whole group, each member receiving its block of features.

import type { TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { Collective, CollectiveOptions } from '../../shared/collective/collective.ts';
import { nodesAtATime } from '../../shared/gbdt/histogramSteps.ts';
import type { TracedTree } from './roundTrace.ts';

/** Nodes share a batch's memory up to here; beyond, a node that is split further must not hold on to the others'. */
const SHARED_NUMBERS = 64 * 1024;

export interface BlockLayout {
  /** Histogram slots of a node over all features. */
  readonly slots: number;
  /** size+1 ascending slot indexes: member r owns [bounds[r], bounds[r+1]). */
  readonly slotBounds: readonly number[];
}

/**
 * Sums of `nodes` over all members, this member's block of features.
 * @param limb of sums that have two.
 * @param traced keeps what is sent and received, where the group's work is checked.
 * @returns for each node an array [slot of the block][g, h].
 */
export async function blockHistograms(
  { device, collective }: { readonly device: TreeDevice; readonly collective: Collective },
  layout: BlockLayout,
  nodes: readonly number[],
  options: CollectiveOptions,
  limb: 'high' | 'low' = 'high',
  traced?: TracedTree,
): Promise<Float64Array[]> {
  const { slots, slotBounds } = layout;
  const own = 2 * (slotBounds[collective.rank + 1]! - slotBounds[collective.rank]!);
  const perBatch = nodesAtATime(slots);
  const result: Float64Array[] = [];
  for (let first = 0; first < nodes.length; first += perBatch) {
    const batch = nodes.slice(first, first + perBatch);
    const local = await device.buildHistograms(Int32Array.from(batch), limb);
    options.signal?.throwIfAborted();
    const sent = collective.size === 1 ? local : byOwner(local, layout, batch.length);
    const received = traced && receivedArrays(collective, own * batch.length);
    const bounds = slotBounds.map((slot) => 2 * slot * batch.length);
    const reduced =
      collective.size === 1
        ? // Sums are taken from one another in place; what is kept must stay.
          traced
          ? local.slice()
          : local
        : await collective.reduceScatter(sent, bounds, 'sum', { ...options, ...(received && { received }) });
    if (traced && received)
      traced.trace.keep({ output: traced.output, limb, nodes: batch, sent, received, bounds: slotBounds });
    const isShared = reduced.length <= SHARED_NUMBERS;
    for (let i = 0; i < batch.length; i += 1) {
      result.push(
        isShared ? reduced.subarray(i * own, (i + 1) * own) : reduced.slice(i * own, (i + 1) * own),
      );
    }
  }
  return result;
}

/** One for each other member. */
function receivedArrays({ rank, size }: Collective, numbers: number): Float64Array[] {
  return Array.from({ length: size }, (_, from) => new Float64Array(from === rank ? 0 : numbers));
}

/** From [node][slot] to [owner][node][slot of the owner]. */
function byOwner(sums: Float64Array, { slots, slotBounds }: BlockLayout, nodes: number): Float64Array {
  const grouped = new Float64Array(sums.length);
  let at = 0;
  for (let rank = 0; rank + 1 < slotBounds.length; rank += 1) {
    for (let node = 0; node < nodes; node += 1) {
      const from = 2 * (node * slots + slotBounds[rank]!);
      const to = 2 * (node * slots + slotBounds[rank + 1]!);
      grouped.set(sums.subarray(from, to), at);
      at += to - from;
    }
  }
  return grouped;
}
