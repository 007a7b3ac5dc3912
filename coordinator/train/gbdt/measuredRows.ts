// What metrics can say of a dataset: without weight they have no value, nor has auc with one class.

import { metricByName } from '../../../shared/gbdt/metric/registry.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';

export class MeasuredRows {
  #hasNegative = false;
  #hasPositive = false;

  add(labels: Float32Array, weights: Float32Array | undefined): void {
    for (let row = 0; row < labels.length && !(this.#hasNegative && this.#hasPositive); row++) {
      if (weights?.[row] === 0) continue;
      if (labels[row]! > 0) this.#hasPositive = true;
      else this.#hasNegative = true;
    }
  }

  /** Metrics of the dataset that will have no value, in words. */
  warnings(dataset: string, { metrics }: Pick<TrainSpec, 'metrics'>): string[] {
    if (!this.#hasNegative && !this.#hasPositive) {
      return [
        `Dataset "${dataset}" has weight 0 in all rows: its metrics (${metrics.join(', ')}) have no value.`,
      ];
    }
    if (this.#hasNegative && this.#hasPositive) return [];
    const ranks = metrics.filter((name) => metricByName(name)?.kind === 'rank');
    return ranks.map(
      (name) =>
        `Dataset "${dataset}" has rows of one class alone: ${dataset}-${name} has no value, and early stopping can not go by it.`,
    );
  }
}
