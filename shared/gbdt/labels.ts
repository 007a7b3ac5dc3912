// Labels and weights of rows as the integers that training reads (BinnedBlock.labels and .weights).

import { highLimb } from '../../kernels/gbdt/fixedPoint.ts';
import { hasMarginLabels, LABEL_LIMIT } from '../../kernels/gbdt/gradientKinds.ts';
import { LIMB_BITS, WEIGHT_FRACTION_BITS } from '../../kernels/gbdt/treeDevice.ts';
import { LabelError, WeightError } from './errors/gbdtErrors.ts';
import { objectiveByName } from './objective/registry.ts';
import type { GbdtParams } from './params.ts';

/** What must be known of all rows that train, that is of weight above 0, before labels and weights become integers. */
export interface TargetRange {
  /** Largest |label|. */
  readonly maxAbsLabel: number;
  /** Largest row weight times scale_pos_weight where it applies; see `effectiveWeight`. */
  readonly maxWeight: number;
  /** Labels or weights span more than one limb holds: the run's sums have two. Default false. */
  readonly isWide?: boolean;
}

/** Where a label or weight is. */
export interface TargetPlace {
  readonly column: string;
  /** Counted from 0 in the dataset. */
  readonly row: number;
  readonly dataset?: string;
}

/**
 * Checks one label.
 * @throws LabelError naming column and row.
 */
export function checkLabel(label: number, params: GbdtParams, place: TargetPlace): void {
  const objective = objectiveByName(params.objective);
  if (Number.isFinite(label) && objective.acceptsLabel(label, params)) return;
  throw new LabelError(
    `Label column "${place.column}", ${rowOf(place)}: ${label} is not valid for ${params.objective}, ` +
      `expected ${objective.labelRange(params)}.`,
    { column: place.column, row: place.row },
  );
}

/**
 * Checks one weight.
 * @throws WeightError naming column and row.
 */
export function checkWeight(weight: number, place: TargetPlace): void {
  if (Number.isFinite(weight) && weight >= 0) return;
  throw new WeightError(
    `Weight column "${place.column}", ${rowOf(place)}: ${weight} is not valid, expected a finite number of at least 0.`,
    { column: place.column, row: place.row },
  );
}

/** Words for a row, e.g. `row 17 of dataset "valid"`. */
export function rowOf({ row, dataset }: TargetPlace): string {
  return dataset === undefined ? `row ${row}` : `row ${row} of dataset "${dataset}"`;
}

/** True when rows need integer weights: a weight column, or scale_pos_weight. */
export function needsWeights(params: GbdtParams, hasWeightColumn: boolean): boolean {
  return hasWeightColumn || params.scale_pos_weight !== 1;
}

/** The weight that a row has in training; metrics know no scale_pos_weight. */
export function effectiveWeight(weight: number, label: number, params: GbdtParams): number {
  return label === 1 && params.scale_pos_weight !== 1 ? weight * params.scale_pos_weight : weight;
}

/** BinnedBlock.weights of an effective weight; one above `maxWeight` counts as that. */
export function weightToFixed(effective: number, maxWeight: number): number {
  if (maxWeight === 0) return 0;
  return Math.min(Math.round((effective / maxWeight) * 2 ** WEIGHT_FRACTION_BITS), 2 ** WEIGHT_FRACTION_BITS);
}

/** Whether labels are numbers that margins are scaled to, and not classes. */
export function areNumbers({ objective }: Pick<GbdtParams, 'objective'>): boolean {
  return hasMarginLabels(objectiveByName(objective).gradient);
}

/** BinnedBlock.labels of a label: the class, or a number in margin units. */
export function labelToFixed(label: number, params: GbdtParams, marginUnit: number): number {
  if (!areNumbers(params)) return label;
  return Math.max(-LABEL_LIMIT, Math.min(LABEL_LIMIT, Math.round(label / marginUnit)));
}

export interface Limbs {
  readonly high: number;
  readonly low: number;
}

/** Limbs of an effective weight: the high one rounded down. */
export function weightToLimbs(effective: number, maxWeight: number): Limbs {
  if (maxWeight === 0) return { high: 0, low: 0 };
  const most = 2 ** (WEIGHT_FRACTION_BITS + LIMB_BITS);
  const fixed = Math.min(Math.round((effective / maxWeight) * most), most);
  const high = Math.floor(fixed / 2 ** LIMB_BITS);
  return { high, low: fixed - high * 2 ** LIMB_BITS };
}

/** Limbs of a label that is a number. @param marginUnit of the high limb. */
export function labelToLimbs(label: number, marginUnit: number): Limbs {
  const most = LABEL_LIMIT * 2 ** LIMB_BITS;
  const fixed = Math.max(-most, Math.min(most, Math.round((label / marginUnit) * 2 ** LIMB_BITS)));
  const high = highLimb(fixed);
  return { high, low: fixed - high * 2 ** LIMB_BITS };
}
