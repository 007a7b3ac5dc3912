// What preparation takes and gives back, apart from how it does that.

import type { DeviceSpec } from '../../../kernels/gbdt/treeDevice.ts';
import type { FeatureCuts } from '../../../shared/gbdt/cuts.ts';
import type { GbdtModel } from '../../../shared/gbdt/model/model.ts';
import type { ColumnBatch } from '../../../shared/columns/columnBatch.ts';

/** As much of a Dataset as preparation needs. */
export interface TrainingData {
  columns(options?: { signal?: AbortSignal }): Promise<string[]>;
  streamColumns(columns: readonly string[], options?: { signal?: AbortSignal }): AsyncIterable<ColumnBatch>;
}

/** Name of the dataset that is trained on. */
export const TRAIN_SET = 'train';

export interface PreparedFeature {
  readonly name: string;
  readonly cuts: FeatureCuts;
  /** Names by category code; undefined for numbers. */
  readonly categories: readonly string[] | undefined;
}

/** A model that training goes on from. */
export interface StartingModel {
  readonly model: GbdtModel;
  readonly featureNames: readonly string[];
  /** Which features hold categories, one entry a feature. */
  readonly isCategorical: readonly boolean[];
  /** Names by category code, one entry a feature; undefined for numbers. */
  readonly categories: readonly (readonly string[] | undefined)[];
  /**
   * Margins of rows, [output][row], in units of 2^-fractionBits.
   * @param features one column a feature: float32 numbers (NaN is missing) or category codes (MISSING_BIN is missing).
   */
  margins(
    features: readonly (Float32Array | Uint8Array)[],
    rows: number,
    device: Pick<DeviceSpec, 'gradient' | 'marginFractionBits' | 'isWide'>,
  ): Int32Array;
}
