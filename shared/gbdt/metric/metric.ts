// What a metric must say about itself. A metric's value must not depend on who holds which rows: sums of losses are
// exact, and ranks are exact over all workers.

import type { LossKernel } from '../../../kernels/gbdt/wasm/wasmLosses.ts';
import type { MarginMeaning } from '../objective/objective.ts';
import type { ObjectiveName } from '../objective/registry.ts';

/** One dataset's block as metrics see it. */
export interface MetricBlock {
  readonly rows: number;
  /** As devices give them: [output][row] in margin units, where they are wide followed by the low limbs. */
  readonly margins: Int32Array;
  /** As the data has them. */
  readonly labels: Float32Array;
  /** As the data has them; undefined when all weigh the same. */
  readonly weights?: Float32Array | undefined;
}

export interface MetricSetting {
  readonly objective: ObjectiveName;
  readonly outputs: number;
  readonly marginFractionBits: number;
  /** Margins have two limbs. Default false. */
  readonly hasWideMargins?: boolean;
}

/** Loss of one row of a block: finite, not negative. */
export type RowLoss = (block: MetricBlock, row: number) => number;

/** The weighted mean of a loss over rows, after `finish`. */
export interface MeanMetric {
  readonly kind: 'mean';
  readonly name: string;
  /** It judges objectives with such margins. */
  readonly margins: MarginMeaning;
  readonly higherIsBetter: boolean;
  /** Made once a run: tables that it rests on are built here. */
  rowLoss(setting: MetricSetting): RowLoss;
  /** The same loss, where WebAssembly knows it. */
  kernel?(setting: MetricSetting): LossKernel;
  finish(mean: number): number;
}

/** Area under the ROC curve: depends on the order of all rows. */
export interface RankMetric {
  readonly kind: 'rank';
  readonly name: string;
  /** It judges objectives with such margins. */
  readonly margins: MarginMeaning;
  readonly higherIsBetter: boolean;
}

export type Metric = MeanMetric | RankMetric;
