// XGBoost's leaf weights and gains, with its roundings to float32, so that equal sums give equal decisions.
// Source: XGBoost 1.7, src/tree/param.h and src/tree/split_evaluator.h.

import type { TrainSpec } from './trainSpec.ts';

/** What a node allows its leaves: monotone constraints above it narrow this. */
export interface WeightBounds {
  readonly lower: number;
  readonly upper: number;
}

/** XGBoost's kRtEps: a split must gain more than this. */
const LEAST_GAIN = Math.fround(1e-6);

export function isWorthwhile(gain: number, { gamma }: { readonly gamma: number }): boolean {
  return gain > LEAST_GAIN && gain >= gamma;
}

export const UNBOUNDED: WeightBounds = { lower: -3.4028234663852886e38, upper: 3.4028234663852886e38 };

export class SplitScore {
  readonly minChildWeight: number;
  readonly #gradientUnit: number;
  readonly #hessianUnit: number;
  readonly #lambda: number;
  readonly #alpha: number;
  readonly #maxDeltaStep: number;
  readonly #constrained: boolean;

  constructor(spec: TrainSpec) {
    const { params } = spec;
    this.minChildWeight = params.min_child_weight;
    this.#gradientUnit = spec.gradientUnit;
    this.#hessianUnit = spec.hessianUnit;
    this.#lambda = params.lambda;
    this.#alpha = params.alpha;
    this.#maxDeltaStep = params.max_delta_step;
    this.#constrained = spec.features.some(({ monotone }) => monotone !== 0);
  }

  /** Whether a child of Hessian sum `h` (in integer units) may exist. */
  allows(h: number): boolean {
    return h > 0 && h * this.#hessianUnit >= this.minChildWeight;
  }

  /** False when no split of Hessian sum `h` leaves two children that may exist. */
  maySplit(h: number): boolean {
    // Each side's product is rounded on its own: half of the sum may miss the bound by a little and yet be allowed.
    return h > 0 && h * this.#hessianUnit >= 2 * this.minChildWeight * (1 - 2 ** -40);
  }

  /** Hessian sum in real units. */
  cover(h: number): number {
    return Math.fround(h * this.#hessianUnit);
  }

  /** Weight of a leaf with these sums (integer units), before the learning rate; a float32. */
  weight(g: number, h: number, bounds: WeightBounds): number {
    const weight = this.freeWeight(g, h);
    if (!this.#constrained) return weight;
    return weight < bounds.lower ? bounds.lower : weight > bounds.upper ? bounds.upper : weight;
  }

  /** The weight without monotone bounds. */
  freeWeight(g: number, h: number): number {
    const hessian = h * this.#hessianUnit;
    if (hessian < this.minChildWeight || hessian <= 0) return 0;
    const weight = -this.#shrink(g * this.#gradientUnit) / (hessian + this.#lambda);
    const limit = this.#maxDeltaStep;
    if (limit !== 0 && Math.abs(weight) > limit) return weight < 0 ? -limit : limit;
    return Math.fround(weight);
  }

  /** Gain of a node with these sums as a leaf of weight `weight`; a float32. */
  gain(g: number, h: number, weight: number): number {
    const hessian = h * this.#hessianUnit;
    if (hessian <= 0) return 0;
    const gradient = g * this.#gradientUnit;
    if (this.#maxDeltaStep === 0 && !this.#constrained) {
      const shrunk = this.#shrink(gradient);
      return Math.fround((shrunk * shrunk) / (hessian + this.#lambda));
    }
    const linear = Math.fround(Math.fround(2 * Math.fround(gradient)) * weight);
    const square = Math.fround(
      Math.fround(Math.fround(hessian) + this.#lambda) * Math.fround(weight * weight),
    );
    return -Math.fround(linear + square);
  }

  /**
   * Gain of splitting into these children; -Infinity when the split breaks the feature's monotone constraint.
   * @param monotone sign of the feature's constraint.
   */
  splitGain(
    leftG: number,
    leftH: number,
    rightG: number,
    rightH: number,
    bounds: WeightBounds,
    monotone: number,
  ): number {
    if (!this.#constrained && this.#maxDeltaStep === 0) {
      return Math.fround(this.gain(leftG, leftH, 0) + this.gain(rightG, rightH, 0));
    }
    const left = this.weight(leftG, leftH, bounds);
    const right = this.weight(rightG, rightH, bounds);
    if ((monotone > 0 && left > right) || (monotone < 0 && left < right)) return -Infinity;
    return Math.fround(this.gain(leftG, leftH, left) + this.gain(rightG, rightH, right));
  }

  #shrink(gradient: number): number {
    if (gradient > this.#alpha) return gradient - this.#alpha;
    if (gradient < -this.#alpha) return gradient + this.#alpha;
    return 0;
  }
}

/** Bounds of the children of a node whose split has these child weights (the mid-point rule). */
export function childBounds(
  bounds: WeightBounds,
  leftWeight: number,
  rightWeight: number,
  monotone: number,
): { readonly left: WeightBounds; readonly right: WeightBounds } {
  if (monotone === 0) return { left: bounds, right: bounds };
  const middle = Math.fround(Math.fround(leftWeight + rightWeight) / 2);
  const below = { lower: bounds.lower, upper: middle };
  const above = { lower: middle, upper: bounds.upper };
  return monotone > 0 ? { left: below, right: above } : { left: above, right: below };
}
