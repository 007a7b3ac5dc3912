// Loss and metrics of a run as they are added up: over microbatches, members and the steps since they were last told.

import type { Collective } from '../../../shared/collective/collective.ts';
import { gatherSum } from '../../collective/gatherSum.ts';
import type { MetricName, Totals } from '../../../shared/neural/trainingEngine.ts';

export class RunMetrics {
  readonly #names: readonly MetricName[];
  /** Examples, loss, then the metrics. */
  #sums: Float64Array<ArrayBuffer>;

  constructor(names: readonly MetricName[]) {
    this.#names = names;
    this.#sums = new Float64Array(2 + names.length);
  }

  /** The loss is told with the penalties of weights, as Keras does. */
  add({ examples, loss, metrics, penalty }: Totals): void {
    const parts = [examples, loss + penalty * examples, ...this.#names.map((name) => metrics[name] ?? 0)];
    for (const [at, part] of parts.entries()) this.#sums[at]! += part;
  }

  /** Means over all members, under `dataset`'s name; the sums begin anew. */
  async take(
    dataset: string,
    collective: Collective,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, number>>> {
    const sums = await gatherSum(this.#sums, collective, { signal });
    this.#sums = new Float64Array(2 + this.#names.length);
    const examples = Math.max(1, sums[0]!);
    const named = this.#names.map((name, at) => [`${dataset}-${name}`, sums[2 + at]! / examples] as const);
    return Object.fromEntries([[`${dataset}-loss`, sums[1]! / examples], ...named]);
  }
}
