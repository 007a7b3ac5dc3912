// How far labels and weights of the training rows reach: the scales of a run follow from them, and whether its
// sums have two limbs; what even those lose is told. Rows of weight 0 do not count, nor do evaluation sets.

import { hasWideMargins, LIMB_BITS, WEIGHT_FRACTION_BITS } from '../../../kernels/gbdt/treeDevice.ts';
import { marginFractionBits } from '../../../shared/gbdt/buildTrainSpec.ts';
import { WeightError } from '../../../shared/gbdt/errors/gbdtErrors.ts';
import { areNumbers, effectiveWeight, type TargetRange } from '../../../shared/gbdt/labels.ts';
import type { GbdtParams } from '../../../shared/gbdt/params.ts';
import { QuantileSketch } from '../../../shared/gbdt/quantileSketch.ts';
import type { TrainSpec } from '../../../shared/gbdt/trainSpec.ts';
import type { ColumnPlan } from './columnPlan.ts';

/** Bits of a gradient that a light row must keep: fewer make splits among such rows a matter of rounding. */
const LEAST_GRADIENT_BITS = 8;
/** Steps of the labels' scale that the closest labels must lie apart. */
const LEAST_STEPS = 8;
/** Labels closer to the median than all but this share of the others tell how fine a scale is needed. */
const CLOSE_SHARE = 0.01;

export class TargetSpan {
  readonly #plan: ColumnPlan;
  readonly #params: GbdtParams;
  readonly #labels = new QuantileSketch();
  readonly #weights = new QuantileSketch();
  #maxAbsLabel = 0;
  #maxWeight = 0;

  constructor(plan: ColumnPlan, params: GbdtParams) {
    this.#plan = plan;
    this.#params = params;
  }

  add(labels: Float32Array, weights: Float32Array | undefined): void {
    const isRegression = areNumbers(this.#params);
    const effective = new Float32Array(labels.length);
    for (let row = 0; row < labels.length; row++) {
      const label = labels[row]!;
      const weight = effectiveWeight(weights ? weights[row]! : 1, label, this.#params);
      effective[row] = weight;
      if (weight === 0) continue;
      if (weight > this.#maxWeight) this.#maxWeight = weight;
      const size = label < 0 ? -label : label;
      if (size > this.#maxAbsLabel) this.#maxAbsLabel = size;
    }
    const counted = effective.map((weight) => (weight > 0 ? 1 : 0));
    if (weights || this.#params.scale_pos_weight !== 1) this.#weights.push(effective, counted);
    if (isRegression) this.#labels.push(labels, counted);
  }

  /** @param rows of the training set. */
  rangeOf(rows: number): TargetRange {
    const range = { maxAbsLabel: this.#maxAbsLabel, maxWeight: this.#maxWeight };
    const step = 2 ** -marginFractionBits(this.#params, range, rows);
    const isWide = this.#tooClose(step) !== undefined || this.#tooLight(0).rows > 0;
    return isWide ? { ...range, isWide } : range;
  }

  /** @throws WeightError when no row has a weight. */
  refuseNoWeight(): void {
    if (this.#maxWeight > 0) return;
    const { weight = '' } = this.#plan;
    throw new WeightError(
      `Weight column "${weight}" is 0 in all rows of dataset "train"; expected a weight above 0 in some.`,
      { column: weight },
    );
  }

  /** What the scales of a run lose, if anything, in words. */
  warnings({ device }: Pick<TrainSpec, 'device'>): string[] {
    const lowBits = device.isWide === true ? LIMB_BITS : 0;
    const labelBits = device.marginFractionBits + (hasWideMargins(device) ? LIMB_BITS : 0);
    return [
      ...this.#labelWarning(2 ** -labelBits),
      ...this.#weightWarning(lowBits),
      ...(hasWideMargins(device) ? this.#productWarning(2 ** -labelBits) : []),
    ];
  }

  /** How close many labels lie to their median, where that is less than a scale of this step can tell apart. */
  #tooClose(step: number): number | undefined {
    const { values, weight } = this.#labels.summary();
    const closest = closestDeviation(values, weight);
    return closest === undefined || closest >= LEAST_STEPS * step ? undefined : closest;
  }

  /** Rows whose weights a scale with so many bits below the first limb holds badly, and where such weights end. */
  #tooLight(lowBits: number): { rows: number; end: number; lightest: number } {
    const { values, weight } = this.#weights.summary();
    const end = this.#maxWeight * 2 ** (LEAST_GRADIENT_BITS - WEIGHT_FRACTION_BITS - lowBits);
    let rows = 0;
    for (let i = 0; i < values.length && values[i]! < end; i++) rows += weight[i]!;
    return { rows, end, lightest: values[0] ?? 0 };
  }

  #labelWarning(step: number): string[] {
    const closest = this.#tooClose(step);
    if (closest === undefined) return [];
    return [
      `Labels of "${this.#plan.label}" reach ${this.#maxAbsLabel} and are held in steps of ${step.toPrecision(3)}, ` +
        `while many lie only ${closest.toPrecision(3)} from their median: such differences are learned badly or not at ` +
        `all. Drop or cap the outliers, subtract the median, or train on the logarithm.`,
    ];
  }

  /** Two limbs hold a label, or a weight; of a product of both that is small twice they hold less. */
  #productWarning(step: number): string[] {
    const { lightest } = this.#tooLight(0);
    const closest = this.#tooClose((step * this.#maxWeight) / lightest);
    if (lightest === 0 || closest === undefined || this.#tooClose(step) !== undefined) return [];
    return [
      `Labels of "${this.#plan.label}" reach ${this.#maxAbsLabel} while many lie only ${closest.toPrecision(3)} from their ` +
        `median, and weights reach from ${lightest} to ${this.#maxWeight}: such differences are learned badly or not at ` +
        `all where they are of light rows. Drop or cap the outliers, or bring weights closer together.`,
    ];
  }

  #weightWarning(lowBits: number): string[] {
    const { rows, end, lightest } = this.#tooLight(lowBits);
    if (rows === 0) return [];
    const where = this.#plan.weight === undefined ? 'scale_pos_weight' : `"${this.#plan.weight}"`;
    return [
      `Weights by ${where} reach from ${lightest} to ${this.#maxWeight}: ${rows} rows below ${end.toPrecision(3)} ` +
        `are learned badly or not at all beside the heaviest. Expected weights within a factor of ` +
        `${(2 ** (WEIGHT_FRACTION_BITS + lowBits - LEAST_GRADIENT_BITS)).toPrecision(3)}.`,
    ];
  }
}

/** The deviation from the median that CLOSE_SHARE of the values that are not the median stay below. */
function closestDeviation(values: Float32Array, counts: Float64Array): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  const middle = values.findIndex((_, i) => (before += counts[i]!) * 2 >= total);
  const median = values[middle];
  if (median === undefined) return undefined;
  const others = Array.from(values, (value, i) => ({ size: Math.abs(value - median), count: counts[i]! }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => a.size - b.size);
  const wanted = CLOSE_SHARE * others.reduce((sum, { count }) => sum + count, 0);
  let seen = 0;
  return others.find(({ count }) => (seen += count) >= wanted)?.size;
}
