// What an objective must say about itself: its link, for predictions, and what training needs. One file each implements
// it, registry.ts lists them.

import type { GradientKind } from '../../../kernels/gbdt/gradientKinds.ts';

/** What margins stand for, and so which metrics can judge them. */
export type MarginMeaning = 'classScores' | 'logOdds' | 'values';

/** The parameters that objectives read. */
export interface ObjectiveSettings {
  readonly num_class: number;
  readonly base_score: number;
  readonly scale_pos_weight: number;
}

/** What predictions need to know of a model's objective. */
export interface ObjectiveLink {
  /** XGBoost's name for it. */
  readonly name: string;
  /** Margin of a prediction equal to base_score (XGBoost's ProbToMargin), a float32. */
  baseMargin(baseScore: number): number;
  /** The base score of a model file as it is meant, where XGBoost writes values that have no margin. */
  clipBaseScore?(baseScore: number): number;
  /** Turns margins into predictions in place, [row][output], float32 as XGBoost's PredTransform. */
  transform(margins: Float32Array, outputs: number): void;
  /** A row's prediction is its class: `transform` leaves a number a row at the head of what it is given. */
  readonly predictsClass?: true;
  /** The class of the row whose predictions begin at `from`, as XGBClassifier.predict has it. Absent: there are no classes. */
  labelOf?(predictions: Float32Array, from: number, outputs: number): number;
}

/** An objective that can be trained. */
export interface ObjectiveDefinition extends ObjectiveLink {
  readonly gradient: GradientKind;
  readonly margins: MarginMeaning;
  readonly defaultMetric: string;
  /** @throws ParameterRangeError when the settings contradict the objective. */
  checkParams(settings: ObjectiveSettings): void;
  /** Margins of a row. */
  outputs(settings: ObjectiveSettings): number;
  /** The valid labels in words, for messages. */
  labelRange(settings: ObjectiveSettings): string;
  /** True for a label that the objective can learn; only finite numbers are asked about. */
  acceptsLabel(label: number, settings: ObjectiveSettings): boolean;
  /** The objective's section of XGBoost's model file. */
  modelSection(settings: ObjectiveSettings): Readonly<Record<string, unknown>>;
}
