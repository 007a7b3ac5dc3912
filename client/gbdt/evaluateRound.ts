// The metrics of all evaluation sets after a round, equal at every member of the group.

import type { LoadedBlock, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { Collective, CollectiveOptions } from '../../shared/collective/collective.ts';
import { SUM_NUMBERS, addToMean, finishMean } from '../../shared/gbdt/metric/exactSum.ts';
import type { MetricBlock } from '../../shared/gbdt/metric/metric.ts';
import type { RoundMetrics } from '../../shared/gbdt/roundMetrics.ts';
import { gatherSum } from '../collective/gatherSum.ts';
import { exactAuc } from './exactAuc.ts';

/** A loaded block with what devices don't give back. */
export interface EvaluationBlock {
  readonly block: LoadedBlock;
  /** As in MetricBlock. */
  readonly labels: Float32Array;
  readonly weights?: Float32Array | undefined;
}

export interface EvaluationGroup {
  readonly device: TreeDevice;
  readonly collective: Collective;
  readonly metrics: RoundMetrics;
  /** The blocks of a dataset that this member holds; may be none. */
  readonly blocks: (dataset: string) => readonly EvaluationBlock[];
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * @returns values by XGBoost's names, in the order of the metrics. What has no value (auc without one of the classes, a
 * set without weight) is left out: messages can't carry NaN.
 * @throws AbortedError, DeadlineError or PeerLostError of the collective.
 */
export async function evaluateRound(group: EvaluationGroup): Promise<Record<string, number>> {
  const { metrics, collective, signal, timeoutMs } = group;
  const { cells } = metrics;
  const options: CollectiveOptions = {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const values: Record<string, number> = {};
  for (const { name } of cells) values[name] = NaN;

  const sums = new Float64Array(cells.length * SUM_NUMBERS);
  for (const dataset of metrics.evaluationSets) {
    const blocks = await readBlocks(group, dataset);
    signal?.throwIfAborted();
    for (const [index, cell] of cells.entries()) {
      if (cell.dataset !== dataset) continue;
      if (cell.mean) addToMean(cell.mean, blocks, sums, index * SUM_NUMBERS);
      else values[cell.name] = await exactAuc(blocks, collective, options);
    }
  }
  // Exact, whatever the order.
  const all = cells.some(({ mean }) => mean) ? await gatherSum(sums, collective, options) : sums;
  cells.forEach(({ name, mean }, index) => {
    if (mean) values[name] = finishMean(mean.metric, all, index * SUM_NUMBERS);
  });
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !Number.isNaN(value)));
}

async function readBlocks({ device, blocks }: EvaluationGroup, dataset: string): Promise<MetricBlock[]> {
  const read: MetricBlock[] = [];
  for (const { block, labels, weights } of blocks(dataset)) {
    const margins = await device.readMargins(block);
    read.push({ rows: block.rows, margins, labels, weights });
  }
  return read;
}
