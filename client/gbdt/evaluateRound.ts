// The metrics of all evaluation sets after a round, equal at every member of the group.

import type { LoadedBlock, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { Collective, CollectiveOptions } from '../../shared/collective/collective.ts';
import { SUM_NUMBERS, addToMean, finishMean } from '../../shared/gbdt/metric/exactSum.ts';
import type { Metric, MetricBlock, MetricSetting } from '../../shared/gbdt/metric/metric.ts';
import { metricByName } from '../../shared/gbdt/metric/registry.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
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
  readonly spec: TrainSpec;
  /** The blocks of a dataset that this member holds; may be none. */
  readonly blocks: (dataset: string) => readonly EvaluationBlock[];
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * @returns values by XGBoost's names, "valid-logloss", in the order of spec.evaluationSets and spec.metrics. What has no
 * value (auc without one of the classes, a set without weight) is left out: messages can't carry NaN.
 * @throws AbortedError, DeadlineError or PeerLostError of the collective.
 */
export async function evaluateRound(group: EvaluationGroup): Promise<Record<string, number>> {
  const { spec, collective, signal, timeoutMs } = group;
  const options: CollectiveOptions = {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const setting: MetricSetting = {
    objective: spec.params.objective,
    outputs: spec.device.outputs,
    marginFractionBits: spec.device.marginFractionBits,
  };
  const metrics = spec.metrics.map((name) => metricByName(name)).filter((metric) => metric !== undefined);
  const cells = spec.evaluationSets.flatMap((dataset) => metrics.map((metric) => ({ dataset, metric })));
  const values: Record<string, number> = {};
  for (const { dataset, metric } of cells) values[`${dataset}-${metric.name}`] = NaN;

  const sums = new Float64Array(cells.length * SUM_NUMBERS);
  for (const dataset of spec.evaluationSets) {
    const blocks = await readBlocks(group, dataset);
    signal?.throwIfAborted();
    for (const [index, cell] of cells.entries()) {
      if (cell.dataset !== dataset) continue;
      if (cell.metric.kind === 'mean') addToMean(cell.metric, setting, blocks, sums, index * SUM_NUMBERS);
      else values[`${dataset}-${cell.metric.name}`] = await exactAuc(blocks, collective, options);
    }
  }
  if (cells.some(({ metric }) => metric.kind === 'mean')) await collective.allReduce(sums, 'sum', options);
  cells.forEach(({ dataset, metric }: { dataset: string; metric: Metric }, index) => {
    if (metric.kind !== 'mean') return;
    values[`${dataset}-${metric.name}`] = finishMean(metric, sums, index * SUM_NUMBERS);
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
