// What is measured after each round of a run.

import { hasWideMargins } from '../../kernels/gbdt/treeDevice.ts';
import type { TrainSpec } from './trainSpec.ts';
import type { MeanLoss } from './metric/exactSum.ts';
import type { MeanMetric, MetricSetting } from './metric/metric.ts';
import { metricByName } from './metric/registry.ts';

/** One metric of one evaluation set. */
interface MetricCell {
  readonly dataset: string;
  /** XGBoost's name of it, "valid-logloss". */
  readonly name: string;
  /** Undefined for ranks. */
  readonly mean: (MeanLoss & { readonly metric: MeanMetric }) | undefined;
}

/** What is measured after each round of a run, in the order of spec.evaluationSets and spec.metrics. */
export interface RoundMetrics {
  readonly evaluationSets: readonly string[];
  readonly cells: readonly MetricCell[];
}

/** Made once for all rounds: a loss may rest on a table that takes longer than a round of few rows. */
export function roundMetrics({ params, device, metrics, evaluationSets }: TrainSpec): RoundMetrics {
  const { outputs, marginFractionBits } = device;
  const setting: MetricSetting = {
    objective: params.objective,
    outputs,
    marginFractionBits,
    hasWideMargins: hasWideMargins(device),
  };
  const known = metrics.map((name) => metricByName(name)).filter((metric) => metric !== undefined);
  const losses = known.map((metric) =>
    metric.kind === 'mean'
      ? { metric, rowLoss: metric.rowLoss(setting), kernel: metric.kernel?.(setting) }
      : undefined,
  );
  const cells = evaluationSets.flatMap((dataset) =>
    known.map(({ name }, i) => ({ dataset, name: `${dataset}-${name}`, mean: losses[i] })),
  );
  return { evaluationSets, cells };
}
