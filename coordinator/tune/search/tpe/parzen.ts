// Parzen estimators of one dimension, with the rules of Optuna's TPESampler (each dimension by itself, prior weight
// 1, magic clip, endpoints not considered): a kernel at every observation and one for the prior.

import type { NumberForm } from '../../space/domain.ts';
import { quantise } from '../../space/sampleSpace.ts';
import { normalCdf, normalQuantile } from './normal.ts';

export interface Parzen {
  sample(random: () => number): number;
  logDensity(value: number): number;
}

/**
 * Weights of n observations, oldest first: 1 each up to 25; beyond, the newest 25 have 1 and the older ones rise
 * linearly from 1/n to 1.
 */
export function observationWeights(n: number): number[] {
  const older = Math.max(0, n - 25);
  return Array.from({ length: n }, (_, i) => {
    if (i >= older) return 1;
    return older === 1 ? 1 / n : 1 / n + (i * (1 - 1 / n)) / (older - 1);
  });
}

/** With the prior's, which comes last; they add up to 1. */
export function kernelWeights(n: number): number[] {
  const weights = [...observationWeights(n), 1];
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * Widths of the kernels at `mus` within [low, high], without the prior's: the larger distance to a neighbour (to an end of the
 * range where there is but one kernel), between (high-low)/min(100, n+2) and high-low. That is Optuna 5's rule; to earlier
 * versions the middle of the range, where the prior sits, was a neighbour too.
 */
export function kernelWidths(mus: readonly number[], low: number, high: number): number[] {
  const order = mus.map((_, i) => i).sort((a, b) => mus[a]! - mus[b]! || a - b);
  const narrowest = (high - low) / Math.min(100, mus.length + 2);
  const widths: number[] = [];
  for (const [place, i] of order.entries()) {
    const mu = mus[i]!;
    const [only, first, last] = [order.length === 1, place === 0, place === order.length - 1];
    const left = first ? (only ? mu - low : 0) : mu - mus[order[place - 1]!]!;
    const right = last ? (only ? high - mu : 0) : mus[order[place + 1]!]! - mu;
    widths[i] = Math.min(high - low, Math.max(narrowest, left, right));
  }
  return widths;
}

export function numberParzen(form: NumberForm, observed: readonly number[]): Parzen {
  const scale = form.log ? Math.log : (value: number): number => value;
  const unscale = form.log ? Math.exp : (value: number): number => value;
  const half = (form.step ?? 0) / 2;
  // A multiple of a step stands for the interval around it; one that reaches zero has no logarithm.
  const lower = (value: number): number => (form.log ? Math.max(value - half, value / 2) : value - half);
  const low = scale(half === 0 ? form.low : lower(form.low));
  const high = scale(form.high + half);
  const mus = [...observed.map(scale), (low + high) / 2];
  const sigmas = [...kernelWidths(mus.slice(0, -1), low, high), high - low];
  const weights = kernelWeights(observed.length);
  const mass = mus.map((mu, k) => normalCdf((high - mu) / sigmas[k]!) - normalCdf((low - mu) / sigmas[k]!));
  return {
    sample(random) {
      const k = pick(weights, random);
      const from = normalCdf((low - mus[k]!) / sigmas[k]!);
      const scaled = mus[k]! + sigmas[k]! * normalQuantile(from + random() * mass[k]!);
      return quantise(unscale(Math.min(high, Math.max(low, scaled))), form);
    },
    logDensity(value) {
      const at = scale(value);
      const from = half === 0 ? at : scale(lower(value));
      const to = half === 0 ? at : scale(value + half);
      return Math.log(
        weights.reduce((sum, weight, k) => {
          const mu = mus[k]!;
          const sigma = sigmas[k]!;
          const density =
            half === 0
              ? Math.exp(-(((at - mu) / sigma) ** 2) / 2) / sigma
              : normalCdf((to - mu) / sigma) - normalCdf((from - mu) / sigma);
          return sum + (weight * density) / mass[k]!;
        }, 0),
      );
    },
  };
}

/** Each kernel has 1/(n+1) for every choice and 1 more for the observed one; the prior's is even. */
export function choiceParzen(choices: number, observed: readonly number[]): Parzen {
  const n = observed.length;
  const weights = kernelWeights(n);
  const floor = 1 / (n + 1);
  const total = choices * floor + 1;
  const chances = Array.from({ length: choices }, (_, choice) =>
    weights.reduce((sum, weight, k) => {
      if (k === n) return sum + weight / choices;
      return sum + (weight * (floor + (observed[k] === choice ? 1 : 0))) / total;
    }, 0),
  );
  return {
    sample: (random) => pick(chances, random),
    logDensity: (value) => Math.log(chances[value] ?? 0),
  };
}

function pick(weights: readonly number[], random: () => number): number {
  let rest = random();
  for (const [k, weight] of weights.entries()) {
    rest -= weight;
    if (rest < 0) return k;
  }
  return weights.length - 1;
}
