// Histograms on the GPU: records the chosen variant over all blocks, reads the limbs back, joins them to numbers.

import type { GpuRunner } from '../../gpu/gpuRunner.ts';
import { groupsFor } from '../../gpu/op.ts';
import type { HistogramLayout } from '../histogramLayout.ts';
import type { HistogramChoice } from '../ops/gbdtOps.ts';
import { histogramOps } from '../ops/gbdtOps.ts';
import { NO_NODE, WORDS_PER_SLOT } from '../ops/histogramOp.ts';
import type { Tiling } from '../ops/histogramTiled.ts';
import { rowsPerGroup, tileJobs, tilingPays } from '../ops/histogramTiled.ts';
import { indexOfNodes } from '../ops/nodeTable.ts';
import type { WebgpuBlock } from '../webgpuBlock.ts';

/** Workgroups that WebGPU allows in one dimension. */
const MOST_GROUPS = 65_535;

/** Nodes whose histogram fits one binding and, tiled, one grid. */
export function nodesAtATime(device: GPUDevice, layout: HistogramLayout): number {
  const byBinding = Math.floor(
    device.limits.maxStorageBufferBindingSize / Math.max(1, 4 * WORDS_PER_SLOT * layout.slots),
  );
  const byGrid = Math.floor(MOST_GROUPS / Math.max(1, Math.ceil(layout.features / 4)));
  return Math.max(1, Math.min(byBinding, byGrid));
}

/** Adds g and h of every (node, slot) to `result` from the limbs that the ops wrote. */
function joinLimbs(words: Uint32Array, result: Float64Array): void {
  for (let i = 0; i < result.length; i += 1) {
    // The high limb is signed; low limb and product are exact in a double below 2^53.
    result[i] = ((words[2 * i + 1] ?? 0) | 0) * 2 ** 32 + (words[2 * i] ?? 0);
  }
}

export interface HistogramPlan {
  readonly choice: HistogramChoice;
  readonly tiling: Tiling;
}

/** Sums over the rows at `nodes`, into result[node][feature][slot][g, h]. One submission, one readback. */
export async function readHistograms(
  runner: GpuRunner,
  layout: HistogramLayout,
  { choice, tiling }: HistogramPlan,
  blocks: readonly WebgpuBlock[],
  nodes: Int32Array,
  result: Float64Array,
): Promise<void> {
  const bytes = nodes.length * layout.slots * WORDS_PER_SLOT * 4;
  const variant =
    choice === 'auto' ? (tilingPays(layout.firstSlot, nodes.length) ? 'tiled' : 'global') : choice;
  const op = histogramOps[variant];
  const histogram = runner.guard(() => {
    const target = runner.takeScratch(bytes);
    const firstSlot = Uint32Array.from(layout.firstSlot);
    const jobs = tileJobs(firstSlot, nodes.length);
    const shared = {
      histogram: target,
      nodeIndex: runner.uploadOnce(indexOfNodes(nodes, NO_NODE)),
      firstSlot: runner.uploadOnce(firstSlot),
      jobs: runner.uploadOnce(jobs),
      shape: runner.uploadUniformOnce(op, 'shape', { features: layout.features, slots: layout.slots }),
    };
    for (const { rows, positions, gradients, bins } of blocks) {
      const block = runner.uploadUniformOnce(op, 'block', { rows });
      const buffers = { ...shared, positions, gradients, bins, block };
      if (variant === 'global') {
        runner.dispatch(op, buffers, groupsFor(op, rows));
        continue;
      }
      const perGroup = rowsPerGroup(tiling, rows, jobs.length / 4);
      const call = runner.uploadUniformOnce(op, 'tiling', { rowsPerGroup: perGroup });
      runner.dispatch(op, { ...buffers, tiling: call }, [Math.ceil(rows / perGroup), jobs.length / 4]);
    }
    return target;
  });
  try {
    joinLimbs(new Uint32Array(await runner.read(histogram, bytes)), result);
  } finally {
    runner.giveBackScratch(histogram);
  }
}
