// The metrics of rounds that are done once more, from all rows of the evaluation sets.

import { SUM_NUMBERS, addToMean, finishMean } from '../metric/exactSum.ts';
import type { MetricBlock } from '../metric/metric.ts';
import { areaOfRuns, joinAreas } from '../metric/rankArea.ts';
import { joinSpans, sortRuns, weightSpan, type RankRuns, type WeightSpan } from '../metric/rankRuns.ts';
import { roundMetrics, type RoundMetrics } from '../roundMetrics.ts';
import type { TrainSpec } from '../trainSpec.ts';

/** Of one round: grows by the blocks of one dataset after the other. */
interface OpenMetrics {
  readonly sums: Float64Array;
  /** By cell: of ranks. */
  readonly runs: Map<number, RankRuns[]>;
}

export class ReplayedMetrics {
  readonly #metrics: RoundMetrics;
  readonly #rounds: readonly OpenMetrics[];
  readonly #spans: ReadonlyMap<string, WeightSpan>;

  /** @param blocks of each evaluation set, for the span of its weights. */
  constructor(spec: TrainSpec, rounds: number, blocks: ReadonlyMap<string, readonly MetricBlock[]>) {
    this.#metrics = roundMetrics(spec);
    const { cells } = this.#metrics;
    this.#rounds = Array.from({ length: rounds }, () => ({
      sums: new Float64Array(cells.length * SUM_NUMBERS),
      runs: new Map(),
    }));
    this.#spans = new Map([...blocks].map(([dataset, all]) => [dataset, joinSpans([weightSpan(all)])]));
  }

  /** Takes rows after the round of this index. */
  add(round: number, dataset: string, block: MetricBlock): void {
    const { sums, runs } = this.#rounds[round]!;
    for (const [index, cell] of this.#metrics.cells.entries()) {
      if (cell.dataset !== dataset) continue;
      if (cell.mean) addToMean(cell.mean, [block], sums, index * SUM_NUMBERS);
      else runs.set(index, [...(runs.get(index) ?? []), sortRuns([block], this.#spans.get(dataset)!)]);
    }
  }

  /** By XGBoost's names, as evaluateRound gives them. */
  of(round: number): Record<string, number> {
    const { sums, runs } = this.#rounds[round]!;
    const values = this.#metrics.cells.map(({ name, mean }, index): [string, number] => [
      name,
      mean
        ? finishMean(mean.metric, sums, index * SUM_NUMBERS)
        : joinAreas([areaOfRuns(runs.get(index) ?? [])]),
    ]);
    return Object.fromEntries(values.filter(([, value]) => !Number.isNaN(value)));
  }
}
