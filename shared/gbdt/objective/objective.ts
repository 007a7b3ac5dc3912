// What an objective must say about itself; one file each implements it, registry.ts lists them.

import type { GradientKind } from '../../../kernels/gbdt/treeDevice.ts';

export const objectiveNames = ['binary:logistic', 'multi:softprob', 'reg:squarederror'] as const;
export type ObjectiveName = (typeof objectiveNames)[number];

/** The parameters that objectives read. */
interface ObjectiveSettings {
  readonly num_class: number;
  readonly base_score: number;
  readonly scale_pos_weight: number;
}

export interface ObjectiveDefinition {
  readonly name: ObjectiveName;
  readonly gradient: GradientKind;
  readonly defaultMetric: string;
  /** @throws ParameterRangeError when the settings contradict the objective. */
  checkParams(settings: ObjectiveSettings): void;
  /** Margins of a row. */
  outputs(settings: ObjectiveSettings): number;
  /** The valid labels in words, for messages. */
  labelRange(settings: ObjectiveSettings): string;
  /** True for a label that the objective can learn; only finite numbers are asked about. */
  acceptsLabel(label: number, settings: ObjectiveSettings): boolean;
  /** Margin of a prediction equal to base_score (XGBoost's ProbToMargin), a float32. */
  baseMargin(baseScore: number): number;
  /** Turns margins into predictions in place, [row][output], float32 as XGBoost's PredTransform. */
  transform(margins: Float32Array, outputs: number): void;
  /** The objective's section of XGBoost's model file. */
  modelSection(settings: ObjectiveSettings): Readonly<Record<string, unknown>>;
}
