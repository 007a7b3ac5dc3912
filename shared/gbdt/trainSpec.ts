// Everything the members of a group must agree on before they train: one JSON blob, content-addressed, made by the
// coordinator from the owner's parameters and the prepared data. Plain JSON values only.

import type { DeviceSpec } from '../../kernels/gbdt/treeDevice.ts';
import type { GbdtParams } from './params.ts';
import type { TrainLoopSpec } from './trainLoop.ts';

export interface FeatureSpec {
  readonly name: string;
  /** Value bins in use (at most 255). */
  readonly bins: number;
  /** True when bin codes are category codes. */
  readonly categorical: boolean;
  /** -1 decreasing, 0 free, 1 increasing. */
  readonly monotone: -1 | 0 | 1;
}

export interface TrainSpec {
  readonly trainer: 'gbdt';
  readonly params: GbdtParams;
  /** Rounds to train in this run (warm-start rounds not counted). */
  readonly numBoostRound: number;
  /** Rounds of the model that this run goes on from: random choices count on from there. Default 0. */
  readonly firstRound?: number;
  readonly features: readonly FeatureSpec[];
  readonly device: DeviceSpec;
  /** Real value of one integer unit of a gradient, and of a Hessian (weight scale included). */
  readonly gradientUnit: number;
  readonly hessianUnit: number;
  /** Names of the datasets whose metrics are reported each round, in order; "train" may be among them. */
  readonly evaluationSets: readonly string[];
  /** Metric names (params.eval_metric or the objective's default). */
  readonly metrics: readonly string[];
  /** Rows of the training set over all workers. */
  readonly trainRows: number;
  /** Every member of a group holds all rows (shared/gbdt/sharedRows.ts). Default false: each sums up its own. */
  readonly sharesRows?: boolean;
  /** The owner's own loop over rounds, in place of the plain one. */
  readonly trainLoop?: TrainLoopSpec;
}
